-- videos: what has been published (projections/videos.py). published_position is where VideoPublished
-- stands in the log: the order of lists and feeds.
CREATE TABLE videos (
    video_id           uuid        NOT NULL PRIMARY KEY,
    author_id          uuid        NOT NULL,
    generation_id      uuid        NOT NULL,
    caption            text        NOT NULL,
    visibility         text        NOT NULL CHECK (visibility IN ('public', 'followers', 'link')),
    remixable          boolean     NOT NULL,
    prompt             text        NOT NULL,
    cameo_ids          uuid[]      NOT NULL,
    remix_of           uuid,
    root_id            uuid        NOT NULL,
    depth              bigint      NOT NULL,
    video_key          text        NOT NULL,
    poster_key         text        NOT NULL,
    thumbnail_key      text        NOT NULL,
    width              bigint      NOT NULL,
    height             bigint      NOT NULL,
    duration_ms        bigint      NOT NULL,
    state              text        NOT NULL CHECK (state IN ('live', 'deleted')),
    published_at       timestamptz NOT NULL,
    published_position bigint      NOT NULL,
    version            bigint      NOT NULL,
    position           bigint      NOT NULL
);
CREATE INDEX videos_author ON videos (author_id, published_position DESC);
CREATE INDEX videos_root ON videos (root_id);
CREATE INDEX videos_parent ON videos (remix_of, published_position DESC) WHERE remix_of IS NOT NULL;
CREATE INDEX videos_published ON videos (published_position DESC) WHERE state = 'live';
CREATE INDEX videos_position ON videos (position);

-- The rule of domain/video/visibility.py for lists of the read side: `may_see` of one account, or of
-- a visitor (NULL). Both are inlined into the query that reads from them.
CREATE FUNCTION visible_videos(viewer_id uuid) RETURNS SETOF videos LANGUAGE sql STABLE AS $$
    SELECT v.* FROM videos v
    LEFT JOIN relations mine ON mine.account_id = viewer_id AND mine.other_id = v.author_id
    LEFT JOIN relations theirs ON theirs.account_id = v.author_id AND theirs.other_id = viewer_id
    WHERE v.state = 'live' AND (
        v.author_id = viewer_id
        OR NOT coalesce(mine.blocks, false) AND NOT coalesce(theirs.blocks, false)
           AND (v.visibility IN ('public', 'link') OR coalesce(mine.follows, false))
    )
$$;

-- `may_list` of the same rule.
CREATE FUNCTION listed_videos(viewer_id uuid) RETURNS SETOF videos LANGUAGE sql STABLE AS $$
    SELECT v.* FROM visible_videos(viewer_id) v
    WHERE v.visibility <> 'link' OR v.author_id = viewer_id
$$;
