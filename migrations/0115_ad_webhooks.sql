-- ad_webhooks: where advertisers are told what happens (projections/ad_webhooks.py)
CREATE TABLE ad_webhooks (
    webhook_id    uuid        NOT NULL PRIMARY KEY,
    advertiser_id uuid        NOT NULL,
    url           text        NOT NULL,
    secret_number integer     NOT NULL,
    rotated_at    timestamptz NOT NULL,
    is_open       boolean     NOT NULL,
    opened_at     timestamptz NOT NULL,
    position      bigint      NOT NULL
);
CREATE INDEX ad_webhooks_advertiser ON ad_webhooks (advertiser_id, webhook_id);
CREATE INDEX ad_webhooks_position ON ad_webhooks (position);
