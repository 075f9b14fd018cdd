"""Webhooks of advertisers: where they are told what happens, and with the secret of which number.

Read by their advertisers, and by what delivers.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.ad_webhook.events import (
    AdWebhookClosed,
    AdWebhookDisabled,
    AdWebhookEvent,
    AdWebhookOpened,
    AdWebhookSecretRotated,
)
from projections.projection import Projection, Recorded

OPEN = """
    INSERT INTO ad_webhooks (webhook_id, advertiser_id, url, secret_number, rotated_at, is_open,
                             opened_at, position)
    VALUES (%s, %s, %s, 1, %s, true, %s, %s)
"""

ROTATE = """
    UPDATE ad_webhooks SET secret_number = secret_number + 1, rotated_at = %s, is_open = true,
                           position = %s
    WHERE webhook_id = %s
"""

DISABLE = "UPDATE ad_webhooks SET is_open = false, position = %s WHERE webhook_id = %s"

CLOSE = "DELETE FROM ad_webhooks WHERE webhook_id = %s"


class AdWebhooks(Projection[AdWebhookEvent]):
    """One row for each that is not closed."""

    name = "ad_webhooks"
    tables = ("ad_webhooks",)
    topics = (
        AdWebhookOpened.TOPIC,
        AdWebhookSecretRotated.TOPIC,
        AdWebhookDisabled.TOPIC,
        AdWebhookClosed.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[AdWebhookEvent]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            of, at = event.originator_id, event.timestamp
            match event:
                case AdWebhookOpened():
                    cursor.execute(OPEN, (of, event.advertiser_id, event.url, at, at, position))
                case AdWebhookSecretRotated():
                    cursor.execute(ROTATE, (at, position, of))
                case AdWebhookDisabled():
                    cursor.execute(DISABLE, (position, of))
                case AdWebhookClosed():
                    cursor.execute(CLOSE, (of,))
                case _:
                    assert_never(event)
