-- What was shown of late is looked at together, for traffic that only many decisions give away.
CREATE INDEX ad_decisions_decided_at ON ad_decisions USING brin (decided_at);
