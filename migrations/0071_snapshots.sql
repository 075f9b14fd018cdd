-- snapshots: long aggregates as they were at a version (store/snapshots.py); any may be deleted
CREATE TABLE snapshots (
    originator_id uuid        NOT NULL PRIMARY KEY,
    version       bigint      NOT NULL,
    position      bigint      NOT NULL,
    recorded_at   timestamptz NOT NULL,
    shape         bytea       NOT NULL,
    state         bytea       NOT NULL
);
