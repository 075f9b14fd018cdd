-- videos.ladder_key: names the ladder by which a video is streamed in several sizes, once many watch it
-- (projections/videos.py). The previous release names its columns, and leaves this one NULL.
ALTER TABLE videos ADD COLUMN ladder_key text;
CREATE INDEX videos_unladdered ON videos (video_id) WHERE ladder_key IS NULL AND state = 'live';
