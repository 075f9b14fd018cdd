-- ad_deliveries: what is due is looked up webhook by webhook, so that none waits behind another's
CREATE INDEX ad_deliveries_webhook_due ON ad_deliveries (webhook_id, due_at) WHERE state = 'due';
