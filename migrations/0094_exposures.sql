-- exposed_slates: the slates that an experiment had a part in, and to whom they were shown;
-- exposed_showings: what became of the videos in them (projections/exposures.py)
CREATE TABLE exposed_slates (
    experiment_id uuid        NOT NULL,
    decision_id   uuid        NOT NULL,
    arm           text        NOT NULL,
    account_id    uuid        NOT NULL,
    served_at     timestamptz NOT NULL,
    position      bigint      NOT NULL,
    PRIMARY KEY (decision_id, experiment_id)
);
CREATE INDEX exposed_slates_experiment ON exposed_slates (experiment_id, account_id);
CREATE INDEX exposed_slates_position ON exposed_slates (position);

CREATE TABLE exposed_showings (
    decision_id uuid   NOT NULL,
    video_id    uuid   NOT NULL,
    watched_ms  bigint NOT NULL,
    loops       bigint NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (decision_id, video_id)
);
CREATE INDEX exposed_showings_position ON exposed_showings (position);

-- account_deeds: what each account did on each day, in UTC (projections/account_deeds.py)
CREATE TABLE account_deeds (
    account_id uuid   NOT NULL,
    day        date   NOT NULL,
    likes      bigint NOT NULL DEFAULT 0,
    comments   bigint NOT NULL DEFAULT 0,
    shares     bigint NOT NULL DEFAULT 0,
    creations  bigint NOT NULL DEFAULT 0,
    remixes    bigint NOT NULL DEFAULT 0,
    less       bigint NOT NULL DEFAULT 0,
    reports    bigint NOT NULL DEFAULT 0,
    position   bigint NOT NULL,
    PRIMARY KEY (account_id, day)
);
CREATE INDEX account_deeds_position ON account_deeds (position);
