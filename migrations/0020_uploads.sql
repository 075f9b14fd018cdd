-- uploads: what people sent in, and what became of it (projections/uploads.py)
CREATE TABLE uploads (
    upload_id      uuid        NOT NULL PRIMARY KEY,
    owner_id       uuid        NOT NULL,
    purpose        text        NOT NULL,
    state          text        NOT NULL CHECK (state IN ('received', 'cleared', 'refused')),
    code           text,
    detail         text,
    media_type     text,
    width          bigint,
    height         bigint,
    duration_ms    bigint,
    image_key      text,
    video_key      text,
    voice_key      text,
    voice_pitch_hz double precision,
    received_at    timestamptz NOT NULL,
    position       bigint      NOT NULL
);
CREATE INDEX uploads_owner ON uploads (owner_id, upload_id DESC);
CREATE INDEX uploads_unsettled ON uploads (received_at) WHERE state = 'received';
CREATE INDEX uploads_position ON uploads (position);
