-- idempotency_keys: when each was first claimed, which is in the IDs that its command makes
ALTER TABLE idempotency_keys ADD COLUMN claimed_at timestamptz NOT NULL DEFAULT now();
