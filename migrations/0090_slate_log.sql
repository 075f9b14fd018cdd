-- The slate log: a page that a ranking decided tells how. `ranking` is the decision as the JSON text that
-- was encoded (ranking/decision.py), byte for byte, on the first page of its slate alone; NULL elsewhere.
-- The previous release goes on with the function that it knows, and knows no such column.

ALTER TABLE slates ADD COLUMN ranking json;

-- Decisions are asked for by their ID: a slate that is in nobody's memory any more, and why a video was in it.
CREATE INDEX slates_decision_id ON slates (decision_id);

-- As append_slates without the last column, and with what was ranked.
CREATE FUNCTION append_slates(
    turn bigint, id uuid, decision_ids uuid[], viewer_ids uuid[], feeds text[], befores bigint[],
    counts bigint[], video_ids uuid[], rankings text[]
) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    at timestamptz;
BEGIN
    SELECT b.head, b.at INTO head, at
    FROM begin_view_append(turn, id, cardinality(decision_ids)) AS b;
    INSERT INTO slates (position, recorded_at, decision_id, viewer_id, feed, before, video_ids, ranking)
    SELECT head + new.n, at, new.decision_id, new.viewer_id, new.feed, new.before,
           video_ids[new.behind - new.videos + 1 : new.behind], new.ranking::json
    FROM (SELECT served.*, sum(served.videos) OVER (ORDER BY served.n)::integer AS behind
          FROM unnest(decision_ids, viewer_ids, feeds, befores, counts, rankings)
              WITH ORDINALITY AS served (decision_id, viewer_id, feed, before, videos, ranking, n))
         AS new;
    RETURN at - clock_timestamp();
END
$$;
