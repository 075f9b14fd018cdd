-- ad_decisions: every ad that was shown, and why (projections/ad_decisions.py); `decision_id` is the page's,
-- as in slates, whose row lies at `position` of the view log
CREATE TABLE ad_decisions (
    ad_decision_id    uuid             NOT NULL PRIMARY KEY,
    decided_at        timestamptz      NOT NULL,
    viewer_id         uuid             NOT NULL,
    decision_id       uuid             NOT NULL,
    feed              text             NOT NULL,
    surface           integer          NOT NULL,
    place             integer          NOT NULL,
    line_id           uuid             NOT NULL,
    campaign_id       uuid             NOT NULL,
    advertiser_id     uuid             NOT NULL,
    creative_id       uuid             NOT NULL,
    kind              text             NOT NULL,
    price_micros      bigint           NOT NULL,
    bid_micros        bigint           NOT NULL,
    multiplier        double precision NOT NULL,
    ecpm_micros       bigint           NOT NULL,
    runner_up_micros  bigint           NOT NULL,
    reserve_micros    bigint           NOT NULL,
    p_view            double precision NOT NULL,
    p_click           double precision NOT NULL,
    p_billed          double precision NOT NULL,
    propensity        double precision NOT NULL,
    lease_id          bigint           NOT NULL,
    day               integer          NOT NULL,
    above             uuid,
    below             uuid,
    reasons           text[]           NOT NULL,
    expires_ms        bigint           NOT NULL,
    version           bigint           NOT NULL,
    reason            text             NOT NULL,
    exact             boolean          NOT NULL,
    rules             text             NOT NULL,
    position          bigint           NOT NULL
);
CREATE INDEX ad_decisions_viewer ON ad_decisions (viewer_id, decided_at);
CREATE INDEX ad_decisions_line ON ad_decisions (line_id, decided_at);
CREATE INDEX ad_decisions_advertiser ON ad_decisions (advertiser_id, decided_at);
CREATE INDEX ad_decisions_creative ON ad_decisions (creative_id, decided_at);
CREATE INDEX ad_decisions_position ON ad_decisions (position);

-- shown_ad: what is on record of one of them (ads/record.py)
CREATE TYPE shown_ad AS (
    ad_decision_id uuid, "position" integer, line_id uuid, campaign_id uuid, advertiser_id uuid,
    creative_id uuid, kind text, price_micros bigint, bid_micros bigint, multiplier double precision,
    ecpm_micros bigint, runner_up_micros bigint, reserve_micros bigint, p_view double precision,
    p_click double precision, p_billed double precision, propensity double precision, lease_id bigint,
    day integer, surface integer, above uuid, below uuid, reasons text[], expires_ms bigint
);
