-- leases.is_cut: a budget was cut below what was held, and this lease is what it was taken from. Ads
-- that were shown for it are free (billing/budgets.py).
ALTER TABLE leases ADD COLUMN is_cut boolean NOT NULL DEFAULT false;
CREATE INDEX leases_cut ON leases (advertiser_id, tokens_until_ms) WHERE is_cut;

-- Whether ads of an advertiser are on their way that a cut has made free.
CREATE FUNCTION was_just_cut(of_advertiser uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM leases
        WHERE advertiser_id = of_advertiser AND is_cut AND tokens_until_ms > clock_ms())
$$;
