-- What the search finds, as lists: by words, by meaning, and the newest where nothing is left to be
-- compared; of all videos, or within those that carry the hashtags and people asked for. Whether the
-- viewer may come upon them is asked last, of as many as are considered.
WITH considered AS MATERIALIZED (
    (
        SELECT 'words' AS source, video_id,
               row_number() OVER (ORDER BY rank DESC, position DESC) AS place
        FROM (
            SELECT d.video_id, ts_rank_cd(d.words, wanted) AS rank, d.position
            FROM video_documents d, websearch_to_tsquery('english', %(text)s) AS wanted
            WHERE d.words @@ wanted
              AND (%(within)s::uuid[] IS NULL OR d.video_id = ANY(%(within)s::uuid[]))
            ORDER BY rank DESC, d.position DESC LIMIT %(considered)s
        ) AS said
    ) UNION ALL (
        SELECT 'meaning', video_id, row_number() OVER (ORDER BY distance, position DESC)
        FROM (
            SELECT d.video_id, d.vector <=> %(vector)s::vector AS distance, d.position
            FROM video_documents d
            WHERE %(vector)s::text IS NOT NULL
              AND (%(within)s::uuid[] IS NULL OR d.video_id = ANY(%(within)s::uuid[]))
            ORDER BY distance, d.position DESC LIMIT %(considered)s
        ) AS meant
        WHERE distance < %(distance_max)s
    ) UNION ALL (
        SELECT 'newest', named.video_id, named.place
        FROM unnest(%(within)s::uuid[]) WITH ORDINALITY AS named (video_id, place)
        WHERE %(text)s = ''
    )
)
SELECT c.source, c.video_id, v.published_position AS position, c.place
FROM considered c JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
