-- The videos that trend for a viewer: of what everybody may see and no moderator has labelled. What was
-- made of each in the last hours counts the less the longer ago; `decay` says how much, by hours.
WITH made AS (
    SELECT video_id, hour, likes * %(like)s + comments * %(comment)s + shares * %(share)s
                           + bookmarks * %(bookmark)s + remixes * %(remix)s AS points
    FROM engagement_hours WHERE hour > %(hour)s - cardinality(%(decay)s::bigint[])
    UNION ALL
    SELECT video_id, hour, viewers FROM view_hours
    WHERE hour > %(hour)s - cardinality(%(decay)s::bigint[])
), heated AS MATERIALIZED (
    SELECT video_id,
           sum(points * (%(decay)s::bigint[])[greatest(%(hour)s - hour, 0) + 1])::bigint AS heat
    FROM made GROUP BY video_id ORDER BY heat DESC, video_id LIMIT %(considered)s
)
SELECT v.video_id, v.published_position AS position, heated.heat
FROM heated
JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
JOIN videos w USING (video_id)
WHERE heated.heat > 0 AND v.visibility = 'public' AND w.labels = '{}'
ORDER BY heated.heat DESC, v.published_position DESC
