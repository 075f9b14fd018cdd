-- commercial_grants: which advertiser may show whose cameo, and until when (projections/commercial_grants.py)
CREATE TABLE commercial_grants (
    cameo_id      uuid        NOT NULL,
    advertiser_id uuid        NOT NULL,
    expires_at    timestamptz,
    granted_at    timestamptz NOT NULL,
    position      bigint      NOT NULL,
    PRIMARY KEY (cameo_id, advertiser_id)
);
CREATE INDEX commercial_grants_advertiser ON commercial_grants (advertiser_id, cameo_id);
