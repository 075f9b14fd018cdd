-- relations: how one account stands to another (projections/relations.py). A row stays when all its
-- flags are false, so that caches which read what is behind a position see the change.
CREATE TABLE relations (
    account_id        uuid    NOT NULL,
    other_id          uuid    NOT NULL,
    follows           boolean NOT NULL DEFAULT false,
    blocks            boolean NOT NULL DEFAULT false,
    mutes             boolean NOT NULL DEFAULT false,
    followed_at       timestamptz,
    followed_position bigint,
    blocked_position  bigint,
    muted_position    bigint,
    position          bigint  NOT NULL,
    PRIMARY KEY (account_id, other_id)
);
CREATE INDEX relations_other ON relations (other_id);
CREATE INDEX relations_position ON relations (position);
CREATE INDEX relations_followed ON relations (account_id, followed_position DESC) WHERE follows;
CREATE INDEX relations_follower ON relations (other_id, followed_position DESC) WHERE follows;
CREATE INDEX relations_blocked ON relations (account_id, blocked_position DESC) WHERE blocks;
CREATE INDEX relations_muted ON relations (account_id, muted_position DESC) WHERE mutes;

-- Whether one of two accounts blocks the other; false if one of them is nobody (NULL).
CREATE FUNCTION are_blocked(one_id uuid, two_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM relations WHERE account_id = one_id AND other_id = two_id AND blocks)
        OR EXISTS (SELECT FROM relations WHERE account_id = two_id AND other_id = one_id AND blocks)
$$;
