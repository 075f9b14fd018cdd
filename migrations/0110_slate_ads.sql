-- The ads of a page: what was auctioned over it and shown on it (ads/record.py), the JSON text as it was
-- encoded, byte for byte; NULL where there was nothing to record. The previous release goes on with the
-- function that it knows, and knows no such column.

ALTER TABLE slates ADD COLUMN ads json;

-- As append_slates without the last column, and with the ads.
CREATE FUNCTION append_slates(
    turn bigint, id uuid, decision_ids uuid[], viewer_ids uuid[], feeds text[], befores bigint[],
    counts bigint[], video_ids uuid[], rankings text[], ads text[]
) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    at timestamptz;
BEGIN
    SELECT b.head, b.at INTO head, at
    FROM begin_view_append(turn, id, cardinality(decision_ids)) AS b;
    INSERT INTO slates (position, recorded_at, decision_id, viewer_id, feed, before, video_ids, ranking,
                        ads)
    SELECT head + new.n, at, new.decision_id, new.viewer_id, new.feed, new.before,
           video_ids[new.behind - new.videos + 1 : new.behind], new.ranking::json, new.ads::json
    FROM (SELECT served.*, sum(served.videos) OVER (ORDER BY served.n)::integer AS behind
          FROM unnest(decision_ids, viewer_ids, feeds, befores, counts, rankings, ads)
              WITH ORDINALITY AS served (decision_id, viewer_id, feed, before, videos, ranking, ads, n))
         AS new;
    RETURN at - clock_timestamp();
END
$$;
