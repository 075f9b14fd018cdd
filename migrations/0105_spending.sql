-- budgeted_lines: the line items that may spend, whose they are, and in which zone their days are;
-- spending: what is held and spent of each budget (billing/spending.py)
CREATE TABLE budgeted_lines (
    line_id       uuid   NOT NULL PRIMARY KEY,
    campaign_id   uuid   NOT NULL,
    advertiser_id uuid   NOT NULL,
    zone          text   NOT NULL,
    daily_micros  bigint NOT NULL CHECK (daily_micros >= 0)
);
CREATE INDEX budgeted_lines_campaign ON budgeted_lines (campaign_id);
CREATE INDEX budgeted_lines_advertiser ON budgeted_lines (advertiser_id);

-- `day` is the ordinal of a line's day, and 0 for what is no day. `budget_micros` is what was asked
-- for, `cap_micros` what holds: more only where more had been spent before the budget was cut.
-- Whoever changes a row holds the lock of its advertiser's first.
CREATE TABLE spending (
    scope         text    NOT NULL CHECK (scope IN ('advertiser', 'campaign', 'line', 'line_day')),
    id            uuid    NOT NULL,
    day           integer NOT NULL CHECK ((day > 0) = (scope = 'line_day')),
    budget_micros bigint  NOT NULL CHECK (budget_micros >= 0),
    cap_micros    bigint  NOT NULL,
    held_micros   bigint  NOT NULL DEFAULT 0 CHECK (held_micros >= 0),
    spent_micros  bigint  NOT NULL DEFAULT 0 CHECK (spent_micros >= 0),
    PRIMARY KEY (scope, id, day),
    CONSTRAINT no_cap_is_exceeded CHECK (held_micros + spent_micros <= cap_micros),
    CONSTRAINT cap_follows_budget CHECK (cap_micros = greatest(budget_micros, spent_micros))
) WITH (fillfactor = 50);

-- Moves what is held and spent in all four rows of each line's day. A cap is never raised by what is
-- spent; where it stood above a cut budget, it follows what is credited.
CREATE FUNCTION move_spending(
    lines uuid[], days integer[], campaigns uuid[], advertisers uuid[], helds bigint[],
    spents bigint[]
) RETURNS void LANGUAGE sql AS $$
    UPDATE spending AS s
    SET held_micros = s.held_micros + moved.held,
        spent_micros = s.spent_micros + moved.spent,
        cap_micros = greatest(s.budget_micros, s.spent_micros + least(moved.spent, 0))
    FROM (
        SELECT scopes.scope, scopes.id, scopes.day, sum(m.held)::bigint, sum(m.spent)::bigint
        FROM unnest(lines, days, campaigns, advertisers, helds, spents)
                 AS m (line_id, day, campaign_id, advertiser_id, held, spent),
             LATERAL (VALUES ('line_day', m.line_id, m.day), ('line', m.line_id, 0),
                             ('campaign', m.campaign_id, 0), ('advertiser', m.advertiser_id, 0)
             ) AS scopes (scope, id, day)
        GROUP BY 1, 2, 3
    ) AS moved (scope, id, day, held, spent)
    WHERE (s.scope, s.id, s.day) = (moved.scope, moved.id, moved.day)
$$;

-- Locks the rows of advertisers, in an order that is everybody's: nothing of theirs moves elsewhere.
CREATE FUNCTION lock_advertisers(ids uuid[]) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        SELECT FROM spending WHERE scope = 'advertiser' AND id = ANY(ids) ORDER BY id FOR UPDATE
    ) AS locked
$$;
