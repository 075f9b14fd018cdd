-- What search and explore read. Vectors and trigrams come with extensions that are part of PostgreSQL's
-- distributions (contrib) or packaged beside it (pgvector).
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['vector', 'pg_trgm'] LOOP
        IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = wanted) THEN
            RAISE EXCEPTION 'This PostgreSQL server has no extension %.', wanted USING
                ERRCODE = 'feature_not_supported',
                HINT = 'Install pgvector (package postgresql-NN-pgvector, or the image pgvector/pgvector)'
                    || ' and the contrib modules of PostgreSQL on the server, then migrate again.';
        END IF;
        BEGIN
            EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I', wanted);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'This user may not create the extension %.', wanted USING
                ERRCODE = 'feature_not_supported',
                HINT = format('Let a superuser run CREATE EXTENSION %I in this database once,', wanted)
                    || ' then migrate again.';
        END;
    END LOOP;
END
$$;

-- video_documents: what videos say, as search reads it (projections/video_documents.py). vector is of
-- length one; NULL where nothing of the text was understood.
CREATE TABLE video_documents (
    video_id uuid        NOT NULL PRIMARY KEY,
    caption  text        NOT NULL,
    prompt   text        NOT NULL,
    words    tsvector    NOT NULL,
    vector   vector(128),
    position bigint      NOT NULL
);
CREATE INDEX video_documents_words ON video_documents USING gin (words);
CREATE INDEX video_documents_text ON video_documents
    USING gin ((caption || ' ' || prompt) gin_trgm_ops);

-- video_hashtags: which videos carry a hashtag; hashtags: how many that everybody may see
-- (projections/hashtags.py)
CREATE TABLE video_hashtags (
    video_id           uuid    NOT NULL,
    tag                text    COLLATE "C" NOT NULL,
    public             boolean NOT NULL,
    published_position bigint  NOT NULL,
    position           bigint  NOT NULL,
    PRIMARY KEY (video_id, tag)
);
CREATE INDEX video_hashtags_tag ON video_hashtags (tag, published_position DESC);

CREATE TABLE hashtags (
    tag    text   COLLATE "C" NOT NULL PRIMARY KEY,
    videos bigint NOT NULL
);

-- engagement_hours: what people made of each video in each hour of the last week, as the log goes
-- (projections/engagement_hours.py); hour: hours since 1970
CREATE TABLE engagement_hours (
    hour      bigint NOT NULL,
    video_id  uuid   NOT NULL,
    likes     bigint NOT NULL,
    comments  bigint NOT NULL,
    shares    bigint NOT NULL,
    bookmarks bigint NOT NULL,
    remixes   bigint NOT NULL,
    PRIMARY KEY (hour, video_id)
);

-- view_hours: by how many each video was watched in each hour of the last week, as the log goes;
-- hourly_viewers: by whom (projections/view_hours.py)
CREATE TABLE view_hours (
    hour     bigint NOT NULL,
    video_id uuid   NOT NULL,
    viewers  bigint NOT NULL,
    PRIMARY KEY (hour, video_id)
);
CREATE TABLE hourly_viewers (
    hour      bigint NOT NULL,
    video_id  uuid   NOT NULL,
    viewer_id uuid   NOT NULL,
    PRIMARY KEY (hour, video_id, viewer_id)
);

CREATE INDEX videos_published_at ON videos (published_at) WHERE state = 'live';
CREATE INDEX videos_cameos ON videos USING gin (cameo_ids);
CREATE INDEX accounts_handle ON accounts (handle COLLATE "C");
CREATE INDEX accounts_handle_text ON accounts USING gin (handle gin_trgm_ops);
CREATE INDEX accounts_display_name_text ON accounts USING gin (display_name gin_trgm_ops);

-- What one account, or a visitor (NULL), may come upon without having been led to it: as in lists, and
-- nothing of whom they have muted.
CREATE FUNCTION discoverable_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, published_position bigint
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.published_position
    FROM listed_videos(viewer_id) v
    LEFT JOIN relations m ON m.account_id = viewer_id AND m.other_id = v.author_id
    WHERE NOT coalesce(m.mutes, false)
$$;
