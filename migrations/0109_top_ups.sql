-- top_ups: money on its way in (projections/top_ups.py), and stripe_inbox: what Stripe reported
CREATE TABLE top_ups (
    top_up_id     uuid        NOT NULL PRIMARY KEY,
    advertiser_id uuid        NOT NULL,
    amount_micros bigint      NOT NULL,
    currency      text        NOT NULL,
    method        text        NOT NULL,
    state         text        NOT NULL,
    checkout_url  text,
    failure_code  text,
    payment_id    text,
    requested_at  timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    requested_position bigint NOT NULL,
    position      bigint      NOT NULL
);
CREATE INDEX top_ups_of_advertiser ON top_ups (advertiser_id, requested_position DESC);
CREATE INDEX top_ups_unsettled ON top_ups (requested_position)
    WHERE state NOT IN ('succeeded', 'failed');

-- What was delivered and verified, once an event; `body` is the raw bytes that were signed.
CREATE TABLE stripe_inbox (
    event_id     text        NOT NULL PRIMARY KEY,
    type         text        NOT NULL,
    object_id    text        NOT NULL,
    body         bytea       NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts     int         NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_error   text,
    processed_at timestamptz
);
CREATE INDEX stripe_inbox_due ON stripe_inbox (due_at) WHERE processed_at IS NULL;
