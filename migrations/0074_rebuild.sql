-- Nothing depends by OID on a projection's tables, so that rebuilt ones can take their places under
-- the same names (replay/rebuilding.py): functions name tables, and return columns of their own.

-- edition: how often another table than the last one was put in a projection's place. What keeps rows
-- in memory reads them anew when it changes.
ALTER TABLE projection_positions ADD COLUMN edition bigint NOT NULL DEFAULT 0;

-- What the view showed, which shows it still: the function is inlined where the view is read.
CREATE FUNCTION generation_queue() RETURNS TABLE (
    generation_id uuid, account_id uuid, state text, attempt bigint, work_class text,
    lease_expires_at timestamptz, requested_at timestamptz, turn bigint, place bigint
) LANGUAGE sql STABLE AS $$
    SELECT live.*, CASE WHEN live.state = 'queued' THEN row_number() OVER (
        PARTITION BY live.work_class, live.state
        ORDER BY live.turn, live.requested_at, live.generation_id
    ) END
    FROM (
        SELECT g.generation_id, g.account_id, g.state, g.attempt, g.work_class, g.lease_expires_at,
               g.requested_at, row_number() OVER (
                   PARTITION BY g.account_id
                   ORDER BY g.state = 'queued', g.requested_at, g.generation_id
               ) AS turn
        FROM generations g
        WHERE g.state IN ('queued', 'dispatched', 'running')
    ) AS live
$$;

-- Live generations and when it is their turn: an account's first before any account's second, the
-- older before the newer. What an account has in work counts as its first ones. `place` is where a
-- queued one stands in the queue of its class, from 1 on.
CREATE OR REPLACE VIEW generation_queue AS SELECT * FROM generation_queue();

DROP FUNCTION listed_videos(uuid);
DROP FUNCTION visible_videos(uuid);

-- The rule of domain/video/visibility.py for lists of the read side: `may_see` of one account, or of
-- a visitor (NULL). Both are inlined into the query that reads from them.
CREATE FUNCTION visible_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, remix_of uuid, published_position bigint,
    version bigint
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.remix_of, v.published_position, v.version
    FROM videos v
    LEFT JOIN relations mine ON mine.account_id = viewer_id AND mine.other_id = v.author_id
    LEFT JOIN relations theirs ON theirs.account_id = v.author_id AND theirs.other_id = viewer_id
    WHERE v.state = 'live' AND (
        v.author_id = viewer_id
        OR NOT coalesce(mine.blocks, false) AND NOT coalesce(theirs.blocks, false)
           AND (v.visibility IN ('public', 'link') OR coalesce(mine.follows, false))
    )
$$;

-- `may_list` of the same rule.
CREATE FUNCTION listed_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, remix_of uuid, published_position bigint,
    version bigint
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.remix_of, v.published_position, v.version
    FROM visible_videos(viewer_id) v
    WHERE v.visibility <> 'link' OR v.author_id = viewer_id
$$;
