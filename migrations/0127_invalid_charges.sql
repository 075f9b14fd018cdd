-- charges: of each kind of report of a decision the first that is valid, and beside it the first that
-- is not. So whoever reports too soon, or from where nobody watches, takes nothing from the true one.
ALTER TABLE charges
    ADD COLUMN is_marked boolean NOT NULL GENERATED ALWAYS AS (mark IS NOT NULL) STORED;
ALTER TABLE credits DROP CONSTRAINT credits_decision_id_beacon_fkey;
ALTER TABLE charges DROP CONSTRAINT charges_pkey;
ALTER TABLE charges ADD PRIMARY KEY (decision_id, beacon, is_marked);

-- What is marked cost nothing, so it is never credited.
ALTER TABLE credits
    ADD COLUMN is_marked boolean NOT NULL DEFAULT false CHECK (NOT is_marked),
    ADD FOREIGN KEY (decision_id, beacon, is_marked) REFERENCES charges;
