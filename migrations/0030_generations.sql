-- generations: every request and what has become of it (projections/generations.py)
CREATE TABLE generations (
    generation_id    uuid        NOT NULL PRIMARY KEY,
    account_id       uuid        NOT NULL,
    state            text        NOT NULL CHECK (state IN (
        'queued', 'dispatched', 'running', 'completed', 'failed', 'refused', 'cancelled', 'discarded'
    )),
    attempt          bigint      NOT NULL,
    prompt           text        NOT NULL,
    seconds          bigint      NOT NULL,
    orientation      text        NOT NULL,
    resolution       text        NOT NULL,
    width            bigint      NOT NULL,
    height           bigint      NOT NULL,
    seed             bigint      NOT NULL,
    cameo_ids        uuid[]      NOT NULL,
    image_upload_id  uuid,
    remix_of         uuid,
    work_class       text        NOT NULL,
    lease_expires_at timestamptz,
    reason           text,
    detail           text,
    video_key        text,
    poster_key       text,
    thumbnail_key    text,
    duration_ms      bigint,
    renderer         text,
    requested_at     timestamptz NOT NULL,
    started_at       timestamptz,
    ended_at         timestamptz,
    video_id         uuid,
    position         bigint      NOT NULL
);
CREATE INDEX generations_account ON generations (account_id, generation_id DESC);
CREATE INDEX generations_position ON generations (position);
CREATE INDEX generations_live ON generations (account_id, requested_at, generation_id)
    WHERE state IN ('queued', 'dispatched', 'running');

-- Live generations and when it is their turn: an account's first before any account's second, the
-- older before the newer. What an account has in work counts as its first ones. `place` is where a
-- queued one stands in the queue of its class, from 1 on.
CREATE VIEW generation_queue AS
    SELECT *, CASE WHEN state = 'queued' THEN row_number() OVER (
        PARTITION BY work_class, state ORDER BY turn, requested_at, generation_id
    ) END AS place
    FROM (
        SELECT generation_id, account_id, state, attempt, work_class, lease_expires_at,
               requested_at, row_number() OVER (
                   PARTITION BY account_id ORDER BY state = 'queued', requested_at, generation_id
               ) AS turn
        FROM generations
        WHERE state IN ('queued', 'dispatched', 'running')
    ) AS live;
