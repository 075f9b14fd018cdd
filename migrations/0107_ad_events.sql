-- ad_events: what apps report of ads, as it came, in the order in which it is settled
-- (billing/ad_events.py); `mark` says why a report counts as invalid traffic, if it was told on arrival
CREATE TABLE ad_events (
    position    bigint   NOT NULL PRIMARY KEY,
    recorded_ms bigint   NOT NULL,
    beacon      smallint NOT NULL CHECK (beacon BETWEEN 1 AND 10),
    token       bytea    NOT NULL CHECK (length(token) = 128),
    mark        text
);

CREATE FUNCTION append_ad_events(
    turn bigint, now_ms bigint, beacons integer[], tokens bytea[], marks text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    at_ms bigint;
BEGIN
    -- Positions become visible in their order, and time never decreases with them.
    PERFORM pg_advisory_xact_lock(turn);
    SELECT position, recorded_ms INTO head, at_ms FROM ad_events ORDER BY position DESC LIMIT 1;
    head := coalesce(head, 0);
    INSERT INTO ad_events (position, recorded_ms, beacon, token, mark)
    SELECT head + n, greatest(at_ms, now_ms), beacon, token, mark
    FROM unnest(beacons, tokens, marks) WITH ORDINALITY AS new (beacon, token, mark, n);
    PERFORM pg_notify('ad_events', '');
    RETURN head + cardinality(beacons);
END
$$;

-- settled_reports: up to where a consumer has settled the reports
CREATE TABLE settled_reports (
    consumer text   NOT NULL PRIMARY KEY,
    position bigint NOT NULL
);
INSERT INTO settled_reports VALUES ('settlement', 0);

-- charges: each kind of report of each decision, once, and what it cost (billing/charges.py). One of
-- invalid traffic (`mark`) costs nothing; one that came when a budget had no room left has leaked.
-- `position` is of the report, `batch` of the last one that was settled together with it.
CREATE TABLE charges (
    decision_id   uuid     NOT NULL,
    beacon        smallint NOT NULL,
    line_id       uuid     NOT NULL,
    creative_id   uuid     NOT NULL,
    advertiser_id uuid     NOT NULL,
    day           integer  NOT NULL,
    lease_id      bigint   NOT NULL,
    place         smallint NOT NULL,
    surface       smallint NOT NULL,
    reported_ms   bigint   NOT NULL,
    position      bigint   NOT NULL,
    batch         bigint   NOT NULL,
    micros        bigint   NOT NULL CHECK (micros >= 0),
    leaked_micros bigint   NOT NULL DEFAULT 0 CHECK (leaked_micros >= 0),
    mark          text,
    PRIMARY KEY (decision_id, beacon),
    CHECK (mark IS NULL OR micros = 0),
    CHECK (micros = 0 OR leaked_micros = 0)
);
CREATE INDEX charges_line_day ON charges (line_id, day);

-- early_clicks: clicks that were reported before the view that they need, until that comes
CREATE TABLE early_clicks (
    decision_id uuid   NOT NULL PRIMARY KEY,
    position    bigint NOT NULL,
    recorded_ms bigint NOT NULL,
    expires_ms  bigint NOT NULL,
    token       bytea  NOT NULL
);

-- credits: charges that were given back, once
CREATE TABLE credits (
    decision_id uuid     NOT NULL,
    beacon      smallint NOT NULL,
    reason      text     NOT NULL,
    micros      bigint   NOT NULL CHECK (micros > 0),
    credited_ms bigint   NOT NULL,
    PRIMARY KEY (decision_id, beacon),
    FOREIGN KEY (decision_id, beacon) REFERENCES charges
);

-- spend_streams: how many events there are of the spending of each line, recorded or on their way;
-- spend_outbox: those that were settled, until the log has them
CREATE TABLE spend_streams (
    line_id uuid   NOT NULL PRIMARY KEY,
    version bigint NOT NULL
);
CREATE TABLE spend_outbox (
    stream_id   uuid    NOT NULL,
    version     bigint  NOT NULL,
    line_id     uuid    NOT NULL,
    topic       text    NOT NULL,
    state       bytea   NOT NULL,
    is_recorded boolean NOT NULL DEFAULT false,
    PRIMARY KEY (stream_id, version)
);
CREATE INDEX unrecorded_spending ON spend_outbox (stream_id, version) WHERE NOT is_recorded;
