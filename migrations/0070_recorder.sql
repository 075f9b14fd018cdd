-- The recorder of the logs (store/recorder.py): the role in which alone facts are inserted, what a
-- batch begins with, and where the events of each command stand
DO $$
BEGIN
    -- Roles belong to the server: another database of it may be making this one right now.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'myriorama_recorder') THEN
        CREATE ROLE myriorama_recorder NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    -- Not whether we are a member: who makes a role is one, and may still not act in it.
    SET LOCAL ROLE myriorama_recorder;
    RESET ROLE;
EXCEPTION
    WHEN insufficient_privilege THEN
        BEGIN
            EXECUTE format('GRANT myriorama_recorder TO %I', current_user);
        EXCEPTION
            WHEN unique_violation OR internal_error THEN
                SET LOCAL ROLE myriorama_recorder; -- granted at the same moment from elsewhere
                RESET ROLE;
        END;
END
$$;

CREATE FUNCTION refuse_stranger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'only the recorder records: % into % as % is refused',
        TG_OP, TG_TABLE_NAME, current_user
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'SET ROLE myriorama_recorder, and take the lock of the log first.';
END
$$;

-- Lets the recorder alone insert into a table of facts; not even a superuser's slip gets in.
-- A partition is a table of its own: call it for each.
CREATE FUNCTION let_only_recorder_insert(facts regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON %s TO myriorama_recorder', facts);
    EXECUTE format(
        'CREATE TRIGGER only_the_recorder_records BEFORE INSERT ON %s FOR EACH STATEMENT
         WHEN (current_user <> ''myriorama_recorder'') EXECUTE FUNCTION refuse_stranger()', facts);
END
$$;

SELECT let_only_recorder_insert('events'), let_only_recorder_insert('commands');

-- Of a command from before this migration, only the first position is known.
ALTER TABLE commands RENAME COLUMN position TO first_position;
ALTER TABLE commands ADD COLUMN last_position bigint;
UPDATE commands SET last_position = first_position;
ALTER TABLE commands ALTER COLUMN last_position SET NOT NULL;
ALTER TABLE commands ADD CHECK (last_position >= first_position);

-- Readers follow positions, and every append paid for this index.
DROP INDEX events_topic_position;

-- Waits for its turn among all writers, which lasts to the end of the transaction, so that no
-- position becomes visible before a lower one. It is no table lock: VACUUM and CREATE INDEX
-- CONCURRENTLY do not wait for it. Listeners are told when the transaction commits.
CREATE FUNCTION begin_batch(OUT head bigint, OUT transaction xid8) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7220250102); -- AdvisoryLock.DOMAIN_LOG
    PERFORM pg_notify('events', '');
    SELECT coalesce(max(position), 0) INTO head FROM events;
    transaction := pg_current_xact_id();
END
$$;

-- Fails if one of the aggregates is at another version than it was when it was read.
CREATE FUNCTION refuse_stale(ids uuid[], versions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ids, versions) AS read (id, version)
        WHERE read.version <> (
            SELECT coalesce(max(e.originator_version), 0) FROM events e
            WHERE e.originator_id = read.id
        )
    ) THEN
        RAISE EXCEPTION 'what was read has changed' USING ERRCODE = 'serialization_failure';
    END IF;
END
$$;
