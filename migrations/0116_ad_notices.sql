-- ad_notices: what advertisers are told, once a `source_key`; ad_deliveries: to which of their webhooks,
-- and how far that has come (workers/notices.py); ad_notices_read: up to where the log was read for it
CREATE TABLE ad_notices (
    notice_id     uuid        NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    source_key    text        NOT NULL UNIQUE,
    advertiser_id uuid        NOT NULL,
    type          text        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    body          text        NOT NULL
);

CREATE TABLE ad_deliveries (
    webhook_id  uuid        NOT NULL,
    notice_id   uuid        NOT NULL REFERENCES ad_notices,
    state       text        NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'delivered', 'given_up')),
    attempts    integer     NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_status integer,
    last_error  text,
    PRIMARY KEY (webhook_id, notice_id)
);
CREATE INDEX ad_deliveries_due ON ad_deliveries (due_at) WHERE state = 'due';

CREATE TABLE ad_notices_read (
    position bigint NOT NULL
);
INSERT INTO ad_notices_read SELECT coalesce(max(position), 0) FROM events;

-- Whoever tells something new writes here alone: the deliveries follow.
CREATE FUNCTION deliver_ad_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ad_deliveries (webhook_id, notice_id)
    SELECT webhook_id, NEW.notice_id FROM ad_webhooks
    WHERE advertiser_id = NEW.advertiser_id AND is_open;
    RETURN NULL;
END
$$;
CREATE TRIGGER ad_notices_delivered AFTER INSERT ON ad_notices
FOR EACH ROW EXECUTE FUNCTION deliver_ad_notice();
