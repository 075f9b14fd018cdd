-- What the search finds, as up to four lists: by words, by spelling, by meaning, and the newest where
-- nothing is left to be compared. Each is of what the viewer may come upon, and of all hashtags and
-- handles that were asked for: a handle is of the author, or of whose cameo is in the video.
WITH eligible AS NOT MATERIALIZED (
    SELECT v.video_id, v.published_position
    FROM discoverable_videos(%(viewer_id)s) v
    WHERE NOT EXISTS (
        SELECT FROM unnest(%(tags)s::text[]) AS wanted (tag)
        WHERE NOT EXISTS (
            SELECT FROM video_hashtags t WHERE t.video_id = v.video_id AND t.tag = wanted.tag
        )
    ) AND NOT EXISTS (
        SELECT FROM unnest(%(handles)s::text[]) AS wanted (handle)
        WHERE NOT EXISTS (
            SELECT FROM accounts a
            WHERE a.handle = wanted.handle AND NOT are_blocked(a.account_id, %(viewer_id)s)
              AND (a.account_id = v.author_id OR EXISTS (
                  SELECT FROM cameos c JOIN videos w ON c.cameo_id = ANY(w.cameo_ids)
                  WHERE c.owner_id = a.account_id AND w.video_id = v.video_id
              ))
        )
    )
)
(
    SELECT 'words' AS source, e.video_id, e.published_position AS position, row_number() OVER (
        ORDER BY ts_rank_cd(d.words, websearch_to_tsquery('english', %(text)s)) DESC,
                 e.published_position DESC
    ) AS place
    FROM video_documents d JOIN eligible e USING (video_id)
    WHERE d.words @@ websearch_to_tsquery('english', %(text)s)
    ORDER BY place LIMIT %(limit)s
) UNION ALL (
    SELECT 'spelling', e.video_id, e.published_position, row_number() OVER (
        ORDER BY word_similarity(%(text)s, d.caption || ' ' || d.prompt) DESC,
                 e.published_position DESC
    ) AS place
    FROM video_documents d JOIN eligible e USING (video_id)
    WHERE %(text)s <%% (d.caption || ' ' || d.prompt)
    ORDER BY place LIMIT %(limit)s
) UNION ALL (
    SELECT 'meaning', e.video_id, e.published_position, row_number() OVER (
        ORDER BY d.vector <=> %(vector)s::vector, e.published_position DESC
    ) AS place
    FROM video_documents d JOIN eligible e USING (video_id)
    WHERE d.vector <=> %(vector)s::vector < %(distance_max)s
    ORDER BY place LIMIT %(limit)s
) UNION ALL (
    SELECT 'newest', e.video_id, e.published_position, row_number() OVER (
        ORDER BY e.published_position DESC
    ) AS place
    FROM eligible e
    WHERE %(text)s = '' AND cardinality(%(tags)s::text[]) + cardinality(%(handles)s::text[]) > 0
    ORDER BY place LIMIT %(limit)s
)
