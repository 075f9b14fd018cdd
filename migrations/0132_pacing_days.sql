-- pacing_days: each day of a line as it was paced (workers/pacer.py), for advertisers to see. `planned` is
-- what was to be spent by the beginning of the day and by the end of each of its half hours: of those
-- that are over as it was planned then, of those to come as it is planned now, NULL before the first
-- plan. `multipliers` is the part of its bid that the line last bid in each half hour. A day that is
-- short or long has fewer or more of them.
CREATE TABLE pacing_days (
    line_id       uuid               NOT NULL,
    day           integer            NOT NULL,
    mode          text               NOT NULL,
    budget_micros bigint             NOT NULL CHECK (budget_micros >= 0),
    planned       bigint[]           NOT NULL,
    multipliers   double precision[] NOT NULL,
    PRIMARY KEY (line_id, day)
);
