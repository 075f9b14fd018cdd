-- Sandboxes: advertisers without money and viewers, and the traffic that is simulated for them. The previous
-- release opens no sandbox, and knows no such columns.
ALTER TABLE advertisers ADD COLUMN sandbox boolean NOT NULL DEFAULT false;
ALTER TABLE wallets ADD COLUMN sandbox boolean NOT NULL DEFAULT false;

-- ad_simulations: what an advertiser's developer wants simulated, and how far it has come
-- (workers/simulator.py). `outcomes` counts pages by why they have the ads that they have.
CREATE TABLE ad_simulations (
    simulation_id uuid        NOT NULL PRIMARY KEY,
    advertiser_id uuid        NOT NULL,
    requested_by  uuid        NOT NULL,
    requested_at  timestamptz NOT NULL,
    pages         integer     NOT NULL CHECK (pages > 0),
    viewers       integer     NOT NULL CHECK (viewers > 0),
    minutes       integer     NOT NULL CHECK (minutes >= 0),
    seed          bigint      NOT NULL,
    state         text        NOT NULL DEFAULT 'waiting'
                  CHECK (state IN ('waiting', 'running', 'completed', 'stopped', 'failed')),
    started_at    timestamptz,
    ended_at      timestamptz,
    pages_done    integer     NOT NULL DEFAULT 0 CHECK (pages_done BETWEEN 0 AND pages),
    ads           bigint      NOT NULL DEFAULT 0,
    reports       bigint      NOT NULL DEFAULT 0,
    outcomes      jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX ad_simulations_advertiser ON ad_simulations (advertiser_id, requested_at);

-- One at a time.
CREATE UNIQUE INDEX ad_simulations_open ON ad_simulations (advertiser_id)
    WHERE state IN ('waiting', 'running');

-- simulated_reports: what simulated viewers are going to report, each when it is due; stored with the page
-- that it is of, and taken away with its report (billing/simulations.py).
CREATE TABLE simulated_reports (
    report_id     bigint   NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    simulation_id uuid     NOT NULL REFERENCES ad_simulations,
    due_ms        bigint   NOT NULL,
    beacon        smallint NOT NULL,
    token         text     NOT NULL,
    agent         text     NOT NULL
);
CREATE INDEX simulated_reports_due ON simulated_reports (simulation_id, due_ms);
