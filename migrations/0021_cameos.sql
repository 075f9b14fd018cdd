-- cameos: every likeness and voice, and who may cast it unasked (projections/cameos.py)
CREATE TABLE cameos (
    cameo_id    uuid        NOT NULL PRIMARY KEY,
    owner_id    uuid        NOT NULL,
    name        text        NOT NULL,
    audience    text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('active', 'revoked')),
    face_key    text        NOT NULL,
    voice_key   text,
    recorded_at timestamptz NOT NULL,
    version     bigint      NOT NULL,
    position    bigint      NOT NULL
);
CREATE INDEX cameos_owner ON cameos (owner_id, cameo_id DESC);
CREATE INDEX cameos_everyone ON cameos (cameo_id DESC)
    WHERE audience = 'everyone' AND state = 'active';
CREATE INDEX cameos_position ON cameos (position);

-- cameo_permissions: what owners said about single accounts, and who has asked and waits
-- (projections/cameo_permissions.py)
CREATE TABLE cameo_permissions (
    cameo_id   uuid        NOT NULL,
    account_id uuid        NOT NULL,
    verdict    text        NOT NULL CHECK (verdict IN ('granted', 'denied', 'requested')),
    message    text,
    expires_at timestamptz,
    since      timestamptz NOT NULL,
    position   bigint      NOT NULL,
    PRIMARY KEY (cameo_id, account_id)
);
CREATE INDEX cameo_permissions_account ON cameo_permissions (account_id, cameo_id);
CREATE INDEX cameo_permissions_position ON cameo_permissions (position);
