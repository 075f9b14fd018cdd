-- ad_repository: every creative that was ever shown, for the public (projections/ad_repository.py)
CREATE TABLE ad_repository (
    creative_id    uuid        NOT NULL PRIMARY KEY,
    advertiser_id  uuid        NOT NULL,
    first_shown_at timestamptz NOT NULL,
    last_shown_at  timestamptz NOT NULL,
    showings       bigint      NOT NULL,
    reach          bigint      NOT NULL,
    first_position bigint      NOT NULL,
    position       bigint      NOT NULL
);
CREATE INDEX ad_repository_last ON ad_repository (last_shown_at);
CREATE INDEX ad_repository_advertiser ON ad_repository (advertiser_id, last_shown_at);

-- ad_repository_viewers: who was shown a creative, so that each counts once (projections/ad_repository.py)
CREATE TABLE ad_repository_viewers (
    creative_id uuid NOT NULL,
    viewer_id   uuid NOT NULL,
    PRIMARY KEY (creative_id, viewer_id)
);

-- ad_repository_parameters: by which targeting viewers were shown a creative (projections/ad_repository.py)
CREATE TABLE ad_repository_parameters (
    creative_id uuid   NOT NULL,
    parameter   text   NOT NULL,
    showings    bigint NOT NULL,
    PRIMARY KEY (creative_id, parameter)
);
