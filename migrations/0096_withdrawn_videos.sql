-- Videos are withdrawn once somebody who appears in them has revoked their cameo (projections/videos.py).
ALTER TABLE videos DROP CONSTRAINT videos_state_check;
ALTER TABLE videos ADD CONSTRAINT videos_state_check CHECK (state IN ('live', 'deleted', 'withdrawn'));

-- What was revoked before: a cameo's last event is that it was.
WITH withdrawn AS (
    UPDATE videos v SET state = 'withdrawn', position = greatest(v.position, revoked.position)
    FROM (
        SELECT w.video_id, max(c.position) AS position
        FROM cameos c JOIN videos w ON w.cameo_ids @> ARRAY[c.cameo_id]
        WHERE c.state = 'revoked' AND w.state = 'live' GROUP BY w.video_id
    ) AS revoked
    WHERE v.video_id = revoked.video_id RETURNING v.video_id, revoked.position
)
UPDATE videos v SET position = greatest(v.position, line.position)
FROM (
    SELECT w.video_id, max(g.position) AS position
    FROM withdrawn g JOIN videos w ON g.video_id IN (w.remix_of, w.root_id)
    WHERE w.video_id NOT IN (SELECT video_id FROM withdrawn) GROUP BY w.video_id
) AS line
WHERE v.video_id = line.video_id;
