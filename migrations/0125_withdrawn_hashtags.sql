-- A hashtag counts no video that was withdrawn: who appears in one is kept beside its hashtags, so that it
-- goes when one of them revokes their cameo (projections/hashtags.py).
ALTER TABLE video_hashtags ADD COLUMN cameo_ids uuid[] NOT NULL DEFAULT '{}';
UPDATE video_hashtags t SET cameo_ids = v.cameo_ids
FROM videos v WHERE v.video_id = t.video_id AND v.cameo_ids <> '{}';
CREATE INDEX video_hashtags_cameos ON video_hashtags USING gin (cameo_ids);

-- What was withdrawn before.
WITH gone AS (
    DELETE FROM video_hashtags t USING videos v
    WHERE v.video_id = t.video_id AND v.state = 'withdrawn' RETURNING t.tag, t.public
), less AS (
    SELECT tag, count(*) AS videos FROM gone WHERE public AND tag <> '' GROUP BY tag
)
UPDATE hashtags h SET videos = h.videos - less.videos FROM less WHERE less.tag = h.tag;
DELETE FROM hashtags WHERE videos = 0;
