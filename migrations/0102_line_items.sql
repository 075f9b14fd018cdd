-- line_items: what is bid for which viewers, and how far each has come (projections/line_items.py)
CREATE TABLE line_items (
    line_item_id           uuid        NOT NULL PRIMARY KEY,
    advertiser_id          uuid        NOT NULL,
    campaign_id            uuid        NOT NULL,
    name                   text        NOT NULL,
    kind                   text        NOT NULL CHECK (kind IN ('cpm', 'cpv', 'cpc')),
    category               text        NOT NULL,
    guaranteed             boolean     NOT NULL,
    bid_micros             bigint      NOT NULL,
    daily_budget_micros    bigint,
    lifetime_budget_micros bigint      NOT NULL,
    exhausted_micros       bigint      NOT NULL,
    starts_at              timestamptz NOT NULL,
    ends_at                timestamptz,
    hours                  text,
    pacing                 text        NOT NULL CHECK (pacing IN ('even', 'asap', 'front')),
    targeting              jsonb       NOT NULL,
    caps                   jsonb       NOT NULL,
    suitability            jsonb       NOT NULL,
    creative_ids           uuid[]      NOT NULL,
    stage                  text        NOT NULL
                           CHECK (stage IN ('draft', 'submitted', 'paused', 'completed')),
    opened_at              timestamptz NOT NULL,
    opened_position        bigint      NOT NULL,
    version                integer     NOT NULL,
    position               bigint      NOT NULL
);
CREATE INDEX line_items_campaign ON line_items (campaign_id, opened_position);
CREATE INDEX line_items_advertiser ON line_items (advertiser_id, opened_position);
CREATE INDEX line_items_submitted ON line_items (line_item_id) WHERE stage = 'submitted';
CREATE INDEX line_items_position ON line_items (position);
