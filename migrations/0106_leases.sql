-- leases: parts of budgets that servers may spend without asking (billing/leases.py). What is left of
-- one that is open is held in the spending of its line; the last token that was signed for it has
-- expired at `tokens_until_ms`, and it is not taken back before.
CREATE TABLE leases (
    lease_id        bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line_id         uuid    NOT NULL,
    campaign_id     uuid    NOT NULL,
    advertiser_id   uuid    NOT NULL,
    day             integer NOT NULL CHECK (day > 0),
    server          text    NOT NULL,
    granted_ms      bigint  NOT NULL,
    serves_until_ms bigint  NOT NULL,
    tokens_until_ms bigint  NOT NULL,
    amount_micros   bigint  NOT NULL,
    spent_micros    bigint  NOT NULL DEFAULT 0 CHECK (spent_micros >= 0),
    is_open         boolean NOT NULL DEFAULT true,
    CONSTRAINT no_lease_is_exceeded CHECK (spent_micros <= amount_micros),
    CONSTRAINT nothing_is_left_in_a_closed_lease CHECK (is_open OR spent_micros = amount_micros),
    CHECK (granted_ms <= serves_until_ms AND serves_until_ms <= tokens_until_ms)
);
CREATE INDEX open_leases ON leases (advertiser_id) WHERE is_open;
CREATE INDEX leases_expire ON leases (tokens_until_ms) WHERE is_open;

-- By the server's clock, which alone says when a lease begins and ends; the tests say it themselves.
CREATE FUNCTION clock_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- Grants `wanted` micros or what there is, but no less than `least`, and no more than a quarter of
-- what is left, so that the last of a budget does not lie with one server. NULL: there is not enough.
CREATE FUNCTION grant_lease(
    of_line uuid, on_day integer, for_server text, wanted bigint, least_micros bigint,
    now_ms bigint, until_ms bigint, tokens_until bigint,
    OUT granted_id bigint, OUT granted_micros bigint
) LANGUAGE plpgsql AS $$
DECLARE
    line budgeted_lines;
    free bigint;
    known bigint;
BEGIN
    SELECT * INTO line FROM budgeted_lines WHERE line_id = of_line FOR SHARE;
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

-- Leaves in leases no more than was issued out of each, and gives the rest back; once more is nothing.
-- Where `closing`, nothing at all is left in them.
CREATE FUNCTION shrink_leases(ids bigint[], issued bigint[], closing boolean) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    given_back bigint;
BEGIN
    PERFORM lock_advertisers(ARRAY(
        SELECT DISTINCT advertiser_id FROM leases WHERE lease_id = ANY(ids)));
    WITH before AS (
        SELECT l.lease_id, l.amount_micros,
               greatest(l.spent_micros, least(l.amount_micros, told.issued)) AS kept
        FROM leases AS l JOIN unnest(ids, issued) AS told (lease_id, issued) USING (lease_id)
        WHERE l.is_open
    ), shrunk AS (
        UPDATE leases AS l SET amount_micros = before.kept, is_open = NOT closing
        FROM before WHERE l.lease_id = before.lease_id
        RETURNING l.line_id, l.day, l.campaign_id, l.advertiser_id,
                  before.amount_micros - before.kept AS back
    ), columns AS (
        SELECT array_agg(line_id) AS lines, array_agg(day) AS days,
               array_agg(campaign_id) AS campaigns, array_agg(advertiser_id) AS advertisers,
               array_agg(-back) AS helds, array_agg(0::bigint) AS spents, sum(back) AS total
        FROM shrunk WHERE back > 0
    )
    SELECT total INTO given_back FROM columns,
        LATERAL move_spending(lines, days, campaigns, advertisers, helds, spents)
    WHERE lines IS NOT NULL;
    RETURN coalesce(given_back, 0);
END
$$;
