-- engagement_counts: what people made of each video (projections/engagement_counts.py). remix_of is
-- kept here to know whose remix a deleted video was.
CREATE TABLE engagement_counts (
    video_id  uuid   NOT NULL PRIMARY KEY,
    remix_of  uuid,
    likes     bigint NOT NULL DEFAULT 0,
    comments  bigint NOT NULL DEFAULT 0,
    shares    bigint NOT NULL DEFAULT 0,
    bookmarks bigint NOT NULL DEFAULT 0,
    remixes   bigint NOT NULL DEFAULT 0,
    position  bigint NOT NULL
);
CREATE INDEX engagement_counts_position ON engagement_counts (position);

-- reactions: what one account made of one video (projections/reactions.py)
CREATE TABLE reactions (
    account_id          uuid    NOT NULL,
    video_id            uuid    NOT NULL,
    liked               boolean NOT NULL DEFAULT false,
    bookmarked          boolean NOT NULL DEFAULT false,
    shared              boolean NOT NULL DEFAULT false,
    bookmarked_position bigint,
    position            bigint  NOT NULL,
    PRIMARY KEY (account_id, video_id)
);
CREATE INDEX reactions_bookmarked ON reactions (account_id, bookmarked_position DESC)
    WHERE bookmarked;
CREATE INDEX reactions_position ON reactions (position);

-- comments: what people wrote under videos (projections/comments.py). A deleted one keeps its place,
-- without its text; replies counts all direct replies, deleted ones too, which keep theirs.
CREATE TABLE comments (
    comment_id      uuid        NOT NULL PRIMARY KEY,
    video_id        uuid        NOT NULL,
    parent_id       uuid,
    author_id       uuid        NOT NULL,
    text            text        NOT NULL,
    deleted         boolean     NOT NULL DEFAULT false,
    replies         bigint      NOT NULL DEFAULT 0,
    posted_at       timestamptz NOT NULL,
    posted_position bigint      NOT NULL,
    position        bigint      NOT NULL
);
CREATE INDEX comments_video ON comments (video_id, parent_id, posted_position DESC);
CREATE INDEX comments_position ON comments (position);
