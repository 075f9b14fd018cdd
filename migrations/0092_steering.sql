-- steering_rules: what people want more of, less of and none of (projections/steering.py)
CREATE TABLE steering_rules (
    rule_id    uuid        NOT NULL PRIMARY KEY,
    account_id uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('boost', 'limit', 'hide')),
    about      text        NOT NULL,
    terms      text[]      NOT NULL,
    author_id  uuid,
    strength   integer     NOT NULL,
    expires_at timestamptz,
    said       text        NOT NULL,
    added_at   timestamptz NOT NULL,
    position   bigint      NOT NULL
);
CREATE INDEX steering_rules_account ON steering_rules (account_id, position);

-- lessened_videos: what people asked to see less like (projections/steering.py)
CREATE TABLE lessened_videos (
    account_id uuid        NOT NULL,
    video_id   uuid        NOT NULL,
    asked_at   timestamptz NOT NULL,
    position   bigint      NOT NULL,
    PRIMARY KEY (account_id, video_id)
);

-- personalisation: whose feed knows nothing of them, or only what they did lately (projections/steering.py)
CREATE TABLE personalisation (
    account_id   uuid    NOT NULL PRIMARY KEY,
    personalised boolean NOT NULL DEFAULT true,
    forgotten_at timestamptz,
    position     bigint  NOT NULL
);

-- reports: which videos should not be here, as people say (projections/reports.py)
CREATE TABLE reports (
    account_id  uuid        NOT NULL,
    video_id    uuid        NOT NULL,
    reason      text        NOT NULL,
    note        text        NOT NULL,
    reported_at timestamptz NOT NULL,
    position    bigint      NOT NULL,
    PRIMARY KEY (video_id, account_id)
);
CREATE INDEX reports_position ON reports (position);
