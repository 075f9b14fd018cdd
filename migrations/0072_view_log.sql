-- The view log (store/viewlog.py): viewings (what apps report as watched) and slates (the pages that
-- were served) share one row of positions, 1, 2, 3. Both are partitioned by the day, UTC, on which
-- they were recorded; finished days leave for Parquet (store/view_days.py).

ALTER TABLE viewings RENAME TO viewings_before;
ALTER TABLE viewings_before RENAME CONSTRAINT viewings_pkey TO viewings_before_pkey;
DROP TRIGGER viewings_are_facts ON viewings_before;

CREATE TABLE viewings (
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    viewer_id   uuid        NOT NULL,
    video_id    uuid        NOT NULL,
    decision_id uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    watched_ms  integer     NOT NULL CHECK (watched_ms >= 0),
    loops       integer     NOT NULL CHECK (loops >= 0),
    PRIMARY KEY (position, recorded_at)
) PARTITION BY RANGE (recorded_at);

-- One row a page of a feed; `before` is the position in the feed behind which it begins, NULL at the
-- top; `video_ids` from the first to the last.
CREATE TABLE slates (
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decision_id uuid        NOT NULL,
    viewer_id   uuid        NOT NULL,
    feed        text        NOT NULL,
    before      bigint,
    video_ids   uuid[]      NOT NULL,
    PRIMARY KEY (position, recorded_at)
) PARTITION BY RANGE (recorded_at);

-- view_appends: where each append ended, and when. The last row is the head of the log, also when the
-- days before it are gone; `append_id` tells a writer that lost its connection whether it had written.
CREATE TABLE view_appends (
    last_position bigint      NOT NULL PRIMARY KEY,
    recorded_at   timestamptz NOT NULL,
    append_id     uuid        NOT NULL CONSTRAINT one_append UNIQUE
);
CREATE INDEX viewing_batches_recorded_at ON viewing_batches (recorded_at);

-- exported_days: which part of the log lies in the object store, and since when only there
CREATE TABLE exported_days (
    day            date        NOT NULL,
    log_table      text        NOT NULL CHECK (log_table IN ('viewings', 'slates')),
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    row_count      bigint      NOT NULL,
    object_key     text        NOT NULL,
    sha256         text        NOT NULL,
    exported_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    dropped_at     timestamptz,
    PRIMARY KEY (day, log_table)
);
CREATE TRIGGER exported_days_are_kept BEFORE DELETE OR TRUNCATE ON exported_days
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Triggers on statements are not inherited: each partition, and the whole, gets them.
CREATE FUNCTION keep_view_facts(facts regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM let_only_recorder_insert(facts);
    EXECUTE format(
        'CREATE TRIGGER what_was_watched_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', facts);
END
$$;

-- The days that have tables of their own; a table may hold several. Both logs have the same ones.
CREATE FUNCTION view_days() RETURNS TABLE (first timestamptz, behind timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT bounds[1]::timestamptz, bounds[2]::timestamptz
    FROM pg_inherits
    JOIN pg_class ON pg_class.oid = inhrelid,
         regexp_match(pg_get_expr(relpartbound, inhrelid), 'FROM \(''(.+)''\) TO \(''(.+)''\)') bounds
    WHERE inhparent = 'public.viewings'::regclass AND bounds IS NOT NULL
    ORDER BY 1
$$;

-- Makes tables of both logs for one day, if it has none. They are attached when they are whole: readers
-- and writers wait for no more than that.
CREATE FUNCTION make_view_day(day date) RETURNS void
LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
    since timestamptz := day::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    whole text;
    part text;
BEGIN
    IF EXISTS (SELECT FROM view_days() AS made WHERE made.first < until AND made.behind > since) THEN
        RETURN;
    END IF;
    FOREACH whole IN ARRAY ARRAY['viewings', 'slates'] LOOP
        part := whole || to_char(day, '_YYYYMMDD');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, whole);
        PERFORM keep_view_facts(part::regclass);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       whole, part, since, until);
    END LOOP;
END
$$;

-- The default partitions catch what a clock, or a dispatcher that was away, did not let us foresee.
-- Where they hold rows they become the table of those days, and empty ones take their places.
CREATE FUNCTION adopt_unforeseen_view_days() RETURNS void
LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
    whole text;
    part text;
    first date;
    last date;
BEGIN
    IF NOT EXISTS (SELECT FROM viewings_unforeseen) AND NOT EXISTS (SELECT FROM slates_unforeseen) THEN
        RETURN;
    END IF;
    LOCK TABLE ONLY viewings, ONLY slates;
    SELECT min(at AT TIME ZONE 'UTC')::date, max(at AT TIME ZONE 'UTC')::date INTO first, last
    FROM (SELECT recorded_at FROM viewings_unforeseen
          UNION ALL SELECT recorded_at FROM slates_unforeseen) AS unforeseen (at);
    FOREACH whole IN ARRAY ARRAY['viewings', 'slates'] LOOP
        part := whole || to_char(first, '_YYYYMMDD');
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', whole, whole || '_unforeseen');
        EXECUTE format('ALTER TABLE %I RENAME TO %I', whole || '_unforeseen', part);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       whole, part, first::timestamp AT TIME ZONE 'UTC',
                       (last + 1)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
    PERFORM make_unforeseen_view_days();
END
$$;

CREATE FUNCTION make_unforeseen_view_days() RETURNS void
LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
    whole text;
    part text;
BEGIN
    FOREACH whole IN ARRAY ARRAY['viewings', 'slates'] LOOP
        part := whole || '_unforeseen';
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', part, whole);
        PERFORM keep_view_facts(part::regclass);
    END LOOP;
END
$$;

-- Waits for its turn among all writers of the view log, which lasts to the end of the transaction, and
-- takes positions. Time never decreases with them: where the clock jumped back, it stands still.
CREATE FUNCTION begin_view_append(
    turn bigint, id uuid, added bigint, OUT head bigint, OUT at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(turn);
    SELECT last_position, recorded_at INTO head, at
    FROM view_appends ORDER BY last_position DESC LIMIT 1;
    head := coalesce(head, 0);
    at := greatest(at, clock_timestamp());
    INSERT INTO view_appends (last_position, recorded_at, append_id) VALUES (head + added, at, id);
    PERFORM pg_notify('viewings', '');
END
$$;

-- Both return how far the log's time is ahead of the clock. To unnest the columns side by side here
-- costs a sixth less than to join them in FROM.
CREATE FUNCTION append_viewings(
    turn bigint, id uuid,
    batch_viewer_ids uuid[], batch_session_ids uuid[], batch_sequences bigint[],
    batch_digests bytea[], batch_counts bigint[],
    viewer_ids uuid[], video_ids uuid[], decision_ids uuid[], session_ids uuid[],
    sequences bigint[], watched integer[], looped integer[]
) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    at timestamptz;
BEGIN
    SELECT b.head, b.at INTO head, at
    FROM begin_view_append(turn, id, cardinality(video_ids)) AS b;
    INSERT INTO viewing_batches (viewer_id, session_id, sequence, digest, accepted, recorded_at)
    SELECT new.*, at FROM unnest(batch_viewer_ids, batch_session_ids, batch_sequences,
                                 batch_digests, batch_counts) AS new;
    INSERT INTO viewings (position, recorded_at, viewer_id, video_id, decision_id, session_id,
                          sequence, watched_ms, loops)
    SELECT head + generate_series(1, cardinality(video_ids)), at, unnest(viewer_ids),
           unnest(video_ids), unnest(decision_ids), unnest(session_ids), unnest(sequences),
           unnest(watched), unnest(looped);
    RETURN at - clock_timestamp();
END
$$;

-- The videos of all slates come in one array, of which each has a stretch.
CREATE FUNCTION append_slates(
    turn bigint, id uuid, decision_ids uuid[], viewer_ids uuid[], feeds text[], befores bigint[],
    counts bigint[], video_ids uuid[]
) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    at timestamptz;
BEGIN
    SELECT b.head, b.at INTO head, at
    FROM begin_view_append(turn, id, cardinality(decision_ids)) AS b;
    INSERT INTO slates (position, recorded_at, decision_id, viewer_id, feed, before, video_ids)
    SELECT head + new.n, at, new.decision_id, new.viewer_id, new.feed, new.before,
           video_ids[new.behind - new.videos + 1 : new.behind]
    FROM (SELECT served.*, sum(served.videos) OVER (ORDER BY served.n)::integer AS behind
          FROM unnest(decision_ids, viewer_ids, feeds, befores, counts)
              WITH ORDINALITY AS served (decision_id, viewer_id, feed, before, videos, n)) AS new;
    RETURN at - clock_timestamp();
END
$$;

SELECT keep_view_facts('viewings'), keep_view_facts('slates'), make_unforeseen_view_days(),
       let_only_recorder_insert('view_appends'), let_only_recorder_insert('viewing_batches');

-- What is known of appends and batches is of use for two days; their recorder forgets them then.
DROP TRIGGER viewing_batches_are_facts ON viewing_batches;
CREATE TRIGGER viewing_batches_are_kept BEFORE UPDATE OR TRUNCATE ON viewing_batches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER view_appends_are_kept BEFORE UPDATE OR TRUNCATE ON view_appends
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER viewing_batches_are_forgotten_by_their_recorder BEFORE DELETE ON viewing_batches
    FOR EACH STATEMENT WHEN (current_user <> 'myriorama_recorder') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER view_appends_are_forgotten_by_their_recorder BEFORE DELETE ON view_appends
    FOR EACH STATEMENT WHEN (current_user <> 'myriorama_recorder') EXECUTE FUNCTION refuse_change();
GRANT DELETE ON viewing_batches, view_appends TO myriorama_recorder;

-- What was recorded before is kept at its positions, on its days.
SELECT make_view_day(day::date)
FROM generate_series(
    (least((SELECT min(recorded_at) FROM viewings_before), clock_timestamp())
        AT TIME ZONE 'UTC')::date,
    (greatest((SELECT max(recorded_at) FROM viewings_before), clock_timestamp())
        AT TIME ZONE 'UTC')::date + 3,
    interval '1 day') AS day;

GRANT SELECT ON viewings_before TO myriorama_recorder;
SET LOCAL ROLE myriorama_recorder;

INSERT INTO viewings
SELECT position, max(recorded_at) OVER (ORDER BY position), viewer_id, video_id, decision_id,
       session_id, sequence, watched_ms, loops
FROM viewings_before;

INSERT INTO view_appends
SELECT position, recorded_at, gen_random_uuid() FROM viewings ORDER BY position DESC LIMIT 1;

RESET ROLE;

DROP TABLE viewings_before;
