-- queue_entries: what waits for the GPU, what is in work and what has been (projections/queue_entries.py).
-- released_*: when it had its turn; a further attempt is no further turn. The function and the view
-- `generation_queue` are read by the release before this one alone.
CREATE TABLE queue_entries (
    generation_id     uuid        NOT NULL PRIMARY KEY,
    account_id        uuid        NOT NULL,
    work_class        text        NOT NULL,
    cost_ms           bigint      NOT NULL,
    state             text        NOT NULL CHECK (state IN (
        'queued', 'dispatched', 'running', 'ended'
    )),
    attempt           bigint      NOT NULL,
    waits_since       timestamptz NOT NULL,
    released_at       timestamptz,
    released_position bigint,
    dispatched_at     timestamptz,
    started_at        timestamptz,
    worker            text,
    completed_at      timestamptz,
    gpu_ms            bigint,
    position          bigint      NOT NULL
);
CREATE INDEX queue_entries_live ON queue_entries (work_class) WHERE state <> 'ended';
CREATE INDEX queue_entries_released ON queue_entries (released_position);
CREATE INDEX queue_entries_completed ON queue_entries (completed_at);
CREATE INDEX queue_entries_position ON queue_entries (position);

-- gpu_budgets: whether the house has rendered what a day may cost (projections/gpu_budgets.py)
CREATE TABLE gpu_budgets (
    budget_id    uuid   NOT NULL PRIMARY KEY,
    exhausted_on text,
    spent_ms     bigint,
    budget_ms    bigint,
    position     bigint NOT NULL
);
CREATE INDEX gpu_budgets_position ON gpu_budgets (position);
