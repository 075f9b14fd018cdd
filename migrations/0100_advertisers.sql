-- advertisers: who pays for ads (projections/advertisers.py)
CREATE TABLE advertisers (
    advertiser_id uuid        NOT NULL PRIMARY KEY,
    name          text        NOT NULL,
    website       text        NOT NULL,
    category      text        NOT NULL,
    currency      text        NOT NULL,
    zone          text        NOT NULL,
    caps          jsonb       NOT NULL,
    opened_at     timestamptz NOT NULL,
    version       integer     NOT NULL,
    position      bigint      NOT NULL
);
CREATE INDEX advertisers_position ON advertisers (position);

-- advertiser_members: whose accounts act for an advertiser, and in which role (projections/advertisers.py)
CREATE TABLE advertiser_members (
    advertiser_id uuid        NOT NULL,
    account_id    uuid        NOT NULL,
    role          text        NOT NULL CHECK (role IN ('reader', 'editor', 'owner')),
    since         timestamptz NOT NULL,
    position      bigint      NOT NULL,
    PRIMARY KEY (advertiser_id, account_id)
);
CREATE INDEX advertiser_members_account ON advertiser_members (account_id, advertiser_id);
