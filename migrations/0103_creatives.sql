-- creatives: the videos that are shown as ads, and how their review stands (projections/creatives.py)
CREATE TABLE creatives (
    creative_id       uuid        NOT NULL PRIMARY KEY,
    advertiser_id     uuid        NOT NULL,
    name              text        NOT NULL,
    source_kind       text        NOT NULL CHECK (source_kind IN ('video', 'generation')),
    source_id         uuid        NOT NULL,
    video_key         text        NOT NULL,
    poster_key        text        NOT NULL,
    thumbnail_key     text        NOT NULL,
    width             integer     NOT NULL,
    height            integer     NOT NULL,
    duration_ms       integer     NOT NULL,
    cameo_ids         uuid[]      NOT NULL,
    ai_label          text        NOT NULL,
    landing_url       text        NOT NULL,
    call_to_action    text        NOT NULL,
    headline          text        NOT NULL,
    category          text        NOT NULL,
    caps              jsonb       NOT NULL,
    state             text        NOT NULL
                      CHECK (state IN ('draft', 'in_review', 'approved', 'rejected', 'withdrawn')),
    recalled          boolean     NOT NULL,
    checks            jsonb       NOT NULL,
    reasons           text[]      NOT NULL,
    note              text        NOT NULL,
    statement         text,
    decided_by        uuid,
    decided_at        timestamptz,
    waiting_since     timestamptz,
    waiting_position  bigint,
    drafted_at        timestamptz NOT NULL,
    drafted_position  bigint      NOT NULL,
    version           integer     NOT NULL,
    position          bigint      NOT NULL
);
CREATE INDEX creatives_advertiser ON creatives (advertiser_id, drafted_position);
CREATE INDEX creatives_waiting ON creatives (waiting_position) WHERE state = 'in_review';
CREATE INDEX creatives_source ON creatives (source_id);
CREATE INDEX creatives_cameos ON creatives USING gin (cameo_ids);
CREATE INDEX creatives_position ON creatives (position);
