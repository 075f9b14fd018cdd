-- videos: what moderators said a video is like; what follows from it is a matter of the ranking's policy
ALTER TABLE videos ADD COLUMN labels text[] NOT NULL DEFAULT '{}';

-- ranking_activations: by which policy and model the feed was ranked, and from when on (projections/rankings.py)
CREATE TABLE ranking_activations (
    position     bigint      NOT NULL PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('policy', 'model')),
    name         text        NOT NULL,
    policy       text,
    activated_by uuid        NOT NULL,
    activated_at timestamptz NOT NULL
);
CREATE INDEX ranking_activations_kind ON ranking_activations (kind, position DESC);

-- experiments: what is and was tried out in the ranking (projections/rankings.py)
CREATE TABLE experiments (
    experiment_id uuid        NOT NULL PRIMARY KEY,
    name          text        NOT NULL,
    layer         text        NOT NULL,
    bucket_first  integer     NOT NULL,
    buckets       integer     NOT NULL,
    arms          text        NOT NULL,
    started_by    uuid        NOT NULL,
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    position      bigint      NOT NULL
);
CREATE INDEX experiments_position ON experiments (position);
