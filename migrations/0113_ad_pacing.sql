-- ad_pacing: the part of its bid that each line bids now (workers/pacer.py), and the version of the
-- publication in which it last changed. Whoever keeps it all in memory is told on the channel of its
-- name.
CREATE TABLE ad_pacing (
    line_id    uuid             NOT NULL PRIMARY KEY,
    multiplier double precision NOT NULL CHECK (multiplier > 0 AND multiplier <= 1),
    published  bigint           NOT NULL CHECK (published > 0)
);

-- pacing_plans: what of its budget each line is to spend today, and by when. `shape` is the share of the
-- day's value that has come by the end of each of equal parts of the day, from 0 at its beginning on;
-- the plan was made when `passed` of the day had passed, and `reached` of the budget was to be spent.
CREATE TABLE pacing_plans (
    line_id       uuid               NOT NULL PRIMARY KEY,
    day           integer            NOT NULL,
    mode          text               NOT NULL,
    budget_micros bigint             NOT NULL CHECK (budget_micros >= 0),
    shape         double precision[] NOT NULL,
    passed        double precision   NOT NULL,
    reached       double precision   NOT NULL
);

-- A line that is paused or over keeps its budgets, for what is still to be settled, and is granted
-- nothing.
ALTER TABLE budgeted_lines ADD COLUMN may_spend boolean NOT NULL DEFAULT true;

CREATE OR REPLACE FUNCTION grant_lease(
    of_line uuid, on_day integer, for_server text, wanted bigint, least_micros bigint,
    now_ms bigint, until_ms bigint, tokens_until bigint,
    OUT granted_id bigint, OUT granted_micros bigint
) LANGUAGE plpgsql AS $$
DECLARE
    line budgeted_lines;
    free bigint;
    known bigint;
BEGIN
    SELECT * INTO line FROM budgeted_lines WHERE line_id = of_line AND may_spend FOR SHARE;
    IF NOT FOUND OR lock_advertisers(ARRAY[line.advertiser_id]) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO spending (scope, id, day, budget_micros, cap_micros)
    VALUES ('line_day', of_line, on_day, line.daily_micros, line.daily_micros)
    ON CONFLICT DO NOTHING;
    SELECT min(cap_micros - held_micros - spent_micros), count(*) INTO free, known FROM spending
    WHERE (scope, id, day) IN (('line_day', of_line, on_day), ('line', of_line, 0),
                               ('campaign', line.campaign_id, 0),
                               ('advertiser', line.advertiser_id, 0));
    IF known < 4 OR free < least_micros OR free <= 0 THEN
        RETURN;
    END IF;
    granted_micros := least(wanted, free, greatest(free / 4, least_micros));
    INSERT INTO leases (line_id, campaign_id, advertiser_id, day, server, granted_ms,
                        serves_until_ms, tokens_until_ms, amount_micros)
    VALUES (of_line, line.campaign_id, line.advertiser_id, on_day, for_server, now_ms, until_ms,
            tokens_until, granted_micros)
    RETURNING lease_id INTO granted_id;
    PERFORM move_spending(ARRAY[of_line], ARRAY[on_day], ARRAY[line.campaign_id],
                          ARRAY[line.advertiser_id], ARRAY[granted_micros], ARRAY[0::bigint]);
END
$$;
