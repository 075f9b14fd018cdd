-- idempotency_keys: the answers to requests that may be sent again (api/idempotency.py)
CREATE TABLE idempotency_keys (
    key_id        uuid        NOT NULL PRIMARY KEY,
    fingerprint   bytea       NOT NULL,
    lease_id      uuid        NOT NULL,
    leased_until  timestamptz NOT NULL,
    answer        bytea,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
