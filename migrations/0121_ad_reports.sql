-- ad_reports: which ads should not be shown, as people say (projections/ad_reports.py)
CREATE TABLE ad_reports (
    account_id     uuid        NOT NULL,
    creative_id    uuid        NOT NULL,
    ad_decision_id uuid        NOT NULL,
    advertiser_id  uuid        NOT NULL,
    reason         text        NOT NULL,
    note           text        NOT NULL,
    reported_at    timestamptz NOT NULL,
    position       bigint      NOT NULL,
    PRIMARY KEY (creative_id, account_id)
);
CREATE INDEX ad_reports_position ON ad_reports (position);
