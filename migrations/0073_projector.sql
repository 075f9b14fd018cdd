-- move_projections: moves positions on, if they are where the projector left them (workers/advancing.py)

-- FOR UPDATE fences a second projector: it waits here, finds the positions moved, and nothing that it
-- sent with this is applied. The notification goes out with the commit, and tells who waits how far
-- the projections have come.
CREATE FUNCTION move_projections(names text[], after bigint, upto bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moved bigint;
BEGIN
    WITH fenced AS (
        SELECT p.name FROM projection_positions p
        WHERE p.name = ANY(names) AND p.position = after
        ORDER BY p.name FOR UPDATE
    )
    UPDATE projection_positions p SET position = upto, updated_at = clock_timestamp()
    FROM fenced WHERE p.name = fenced.name;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(names) THEN
        RAISE EXCEPTION 'another projector has moved %', names USING ERRCODE = 'MY001';
    END IF;
    PERFORM pg_notify('projected', upto || ':' || array_to_string(names, ' '));
END
$$;
