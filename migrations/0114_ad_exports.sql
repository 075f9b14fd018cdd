-- ad_exports: what was exported of each campaign, as links of one chain (billing/exports.py). An export
-- has the batches of settlement behind `after_batch` up to `through_batch`, and what was credited up to
-- `credited_through_ms` behind the one before; `head` is the SHA-256 of its last line. The file itself
-- lies in the objects, under `object_key`.
CREATE TABLE ad_exports (
    campaign_id         uuid        NOT NULL,
    number              integer     NOT NULL CHECK (number > 0),
    advertiser_id       uuid        NOT NULL,
    made_at             timestamptz NOT NULL,
    after_batch         bigint      NOT NULL,
    through_batch       bigint      NOT NULL CHECK (through_batch >= after_batch),
    credited_through_ms bigint      NOT NULL,
    previous            text        NOT NULL CHECK (previous ~ '^[0-9a-f]{64}$'),
    head                text        NOT NULL CHECK (head ~ '^[0-9a-f]{64}$'),
    lines               bigint      NOT NULL,
    bytes               bigint      NOT NULL,
    net_micros          bigint      NOT NULL,
    object_key          text        NOT NULL,
    PRIMARY KEY (campaign_id, number)
);
CREATE INDEX ad_exports_advertiser ON ad_exports (advertiser_id, made_at);
