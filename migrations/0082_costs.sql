-- generation_costs: what each generation cost, and how long its video was there
-- (projections/generation_costs.py)
CREATE TABLE generation_costs (
    generation_id uuid   NOT NULL PRIMARY KEY,
    model         text   NOT NULL,
    work_class    text   NOT NULL,
    gpu_ms        bigint NOT NULL DEFAULT 0,
    duration_ms   bigint NOT NULL DEFAULT 0,
    completed_at  timestamptz,
    video_id      uuid,
    published_at  timestamptz,
    deleted_at    timestamptz,
    position      bigint NOT NULL
);
CREATE UNIQUE INDEX generation_costs_video ON generation_costs (video_id);
CREATE INDEX generation_costs_completed ON generation_costs (completed_at);
CREATE INDEX generation_costs_position ON generation_costs (position);
