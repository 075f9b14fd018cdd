-- cameo_voices: in which synthetic voice owners chose that their cameos speak (projections/cameo_voices.py)
-- A table of its own, because projections of the previous release pass over what is recorded of it.
CREATE TABLE cameo_voices (
    cameo_id uuid   NOT NULL PRIMARY KEY,
    voice    text,
    position bigint NOT NULL
);
CREATE INDEX cameo_voices_position ON cameo_voices (position);
