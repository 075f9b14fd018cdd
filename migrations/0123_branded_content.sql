-- videos.branded_by: the brand that had a video made, as its author says; empty where nobody had
-- (projections/videos.py). The previous release does not name the column.
ALTER TABLE videos ADD COLUMN branded_by text NOT NULL DEFAULT '';
