-- waiting_reports: what cannot be settled yet (billing/waiting.py): clicks that came before the view
-- that they need, and reports of ads whose decision is not on record
ALTER TABLE early_clicks RENAME TO waiting_reports;
ALTER TABLE waiting_reports
    ADD COLUMN beacon smallint NOT NULL DEFAULT 8,
    ADD COLUMN awaits text NOT NULL DEFAULT 'view' CHECK (awaits IN ('record', 'view'));
ALTER TABLE waiting_reports
    ALTER COLUMN beacon DROP DEFAULT,
    ALTER COLUMN awaits DROP DEFAULT,
    DROP CONSTRAINT early_clicks_pkey,
    ADD PRIMARY KEY (decision_id, beacon);
CREATE INDEX reports_without_record ON waiting_reports (recorded_ms) WHERE awaits = 'record';
