-- ledger_transactions, ledger_entries, wallets: the books, double entry (projections/ledger.py)
CREATE TABLE ledger_transactions (
    source_key  text        NOT NULL PRIMARY KEY,
    kind        text        NOT NULL,
    advertiser_id uuid      NOT NULL,
    occurred_at timestamptz NOT NULL,
    position    bigint      NOT NULL
);
CREATE INDEX ledger_transactions_of_advertiser ON ledger_transactions (advertiser_id, position);

-- Debits are above zero, credits below. A wallet is owed to its advertiser: what is in it is below.
CREATE TABLE ledger_entries (
    source_key    text     NOT NULL,
    leg           smallint NOT NULL,
    account       text     NOT NULL,
    advertiser_id uuid,
    currency      text     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_micros bigint   NOT NULL CHECK (amount_micros <> 0),
    position      bigint   NOT NULL,
    PRIMARY KEY (source_key, leg)
);
CREATE INDEX ledger_entries_of_account ON ledger_entries (advertiser_id, account, position);

CREATE TABLE wallets (
    advertiser_id  uuid   NOT NULL PRIMARY KEY,
    currency       text   NOT NULL,
    balance_micros bigint NOT NULL,
    topped_up_micros bigint NOT NULL DEFAULT 0,
    spent_micros   bigint NOT NULL DEFAULT 0,
    credited_micros bigint NOT NULL DEFAULT 0,
    position       bigint NOT NULL,
    CHECK (balance_micros = topped_up_micros - spent_micros + credited_micros)
);

-- A constraint trigger belongs to its table and moves with it when the table is rebuilt; so it asks
-- the table that it is on.
CREATE FUNCTION keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unbalanced text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'the ledger is only added to' USING ERRCODE = 'restrict_violation';
    END IF;
    EXECUTE format(
        'SELECT currency FROM %s WHERE source_key = $1 GROUP BY currency '
        'HAVING sum(amount_micros) <> 0 LIMIT 1', TG_RELID::regclass
    ) INTO unbalanced USING NEW.source_key;
    IF unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'the legs of % do not sum to zero', NEW.source_key
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER ledger_entries_balance
AFTER INSERT OR UPDATE OR DELETE ON ledger_entries
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_ledger();
