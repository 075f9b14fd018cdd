-- recipes: what generations were asked to be made of, and what was said of them (projections/recipes.py)
-- A table of its own, because the previous release reads whole rows of `generations`.
CREATE TABLE recipes (
    generation_id        uuid   NOT NULL PRIMARY KEY,
    model                text   NOT NULL,
    shots                jsonb  NOT NULL,
    last_image_upload_id uuid,
    extends              uuid,
    stitches             uuid[] NOT NULL,
    remake_of            uuid,
    rerolls              bigint,
    estimate_ms          bigint NOT NULL,
    sprite_key           text   NOT NULL DEFAULT '',
    captions_key         text,
    transcript           text,
    model_digest         text   NOT NULL DEFAULT '',
    verdicts             jsonb  NOT NULL DEFAULT '[]',
    appeal               text   CHECK (appeal IN ('open', 'upheld', 'overturned')),
    appeal_note          text,
    position             bigint NOT NULL
);
CREATE INDEX recipes_position ON recipes (position);
