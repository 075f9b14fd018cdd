-- events: the domain log (store/recorder.py); commands: each was applied at most once
CREATE TABLE events (
    position           bigint      NOT NULL PRIMARY KEY,
    originator_id      uuid        NOT NULL,
    originator_version bigint      NOT NULL,
    topic              text        NOT NULL,
    state              bytea       NOT NULL,
    recorded_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_id           uuid,
    request_id         text,
    traceparent        text,
    CONSTRAINT one_event_per_version UNIQUE (originator_id, originator_version)
);

CREATE INDEX events_topic_position ON events (topic, position);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened has happened: % of % is refused', TG_OP, TG_TABLE_NAME;
END
$$;

CREATE TRIGGER events_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE commands (
    command_id  uuid        NOT NULL PRIMARY KEY,
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
