-- Ads that were shown elsewhere, of bids that won in auctions of others (billing/exchange.py). A win is stored
-- once, with the token that bills (in which its price is) and what the seller told; `cpm` is in units of the
-- currency. The page of it is in the view log, written with the win, so that all is folded from there.
CREATE TABLE exchange_wins (
    ad_decision_id uuid    NOT NULL PRIMARY KEY,
    viewer_id      uuid    NOT NULL,
    line_id        uuid    NOT NULL,
    campaign_id    uuid    NOT NULL,
    advertiser_id  uuid    NOT NULL,
    creative_id    uuid    NOT NULL,
    decided_ms     bigint  NOT NULL,
    expires_ms     bigint  NOT NULL,
    won_ms         bigint  NOT NULL,
    cpm            numeric NOT NULL,
    token          bytea   NOT NULL
);
CREATE INDEX exchange_wins_viewer ON exchange_wins (viewer_id, decided_ms);

-- What players reported of ads whose win has not been told yet; without one it is nothing.
CREATE TABLE exchange_reports (
    ad_decision_id uuid     NOT NULL,
    beacon         smallint NOT NULL,
    mark           text,
    expires_ms     bigint   NOT NULL,
    PRIMARY KEY (ad_decision_id, beacon)
);
CREATE INDEX exchange_reports_expiry ON exchange_reports (expires_ms);
