-- projection_positions: how far each projection has folded its log; dead_letters: what it could not
CREATE TABLE projection_positions (
    name       text        NOT NULL PRIMARY KEY,
    position   bigint      NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE dead_letters (
    projection  text        NOT NULL,
    position    bigint      NOT NULL,
    error       text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, position)
);
