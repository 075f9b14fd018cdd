-- campaigns: what advertisers want, from when to when, for how much at most (projections/campaigns.py)
CREATE TABLE campaigns (
    campaign_id     uuid        NOT NULL PRIMARY KEY,
    advertiser_id   uuid        NOT NULL,
    name            text        NOT NULL,
    objective       text        NOT NULL,
    budget_micros   bigint,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz,
    caps            jsonb       NOT NULL,
    state           text        NOT NULL CHECK (state IN ('active', 'paused', 'completed')),
    opened_at       timestamptz NOT NULL,
    opened_position bigint      NOT NULL,
    version         integer     NOT NULL,
    position        bigint      NOT NULL
);
CREATE INDEX campaigns_advertiser ON campaigns (advertiser_id, opened_position);
CREATE INDEX campaigns_position ON campaigns (position);
