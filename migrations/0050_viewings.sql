-- viewings: the view log (store/viewlog.py), whose position order is commit order;
-- viewing_batches: each was stored once, and is answered alike when it is sent again
CREATE TABLE viewings (
    position    bigint      NOT NULL PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    viewer_id   uuid        NOT NULL,
    video_id    uuid        NOT NULL,
    decision_id uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    watched_ms  bigint      NOT NULL CHECK (watched_ms >= 0),
    loops       bigint      NOT NULL CHECK (loops >= 0)
);
CREATE INDEX viewings_viewer ON viewings (viewer_id, position DESC);

CREATE TABLE viewing_batches (
    viewer_id   uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    digest      bytea       NOT NULL,
    accepted    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (viewer_id, session_id, sequence)
);

CREATE TRIGGER viewings_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON viewings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER viewing_batches_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON viewing_batches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- view_counts: how often each video was viewed; counted_views: what has been counted
-- (projections/view_counts.py)
CREATE TABLE view_counts (
    video_id uuid   NOT NULL PRIMARY KEY,
    views    bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX view_counts_position ON view_counts (position);

CREATE TABLE counted_views (
    viewer_id   uuid   NOT NULL,
    decision_id uuid   NOT NULL,
    video_id    uuid   NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (viewer_id, decision_id, video_id)
);
