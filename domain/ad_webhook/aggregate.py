"""The rules of a webhook of an advertiser: open until it is closed, or nobody answers for days."""

from collections.abc import Collection
from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.ad_webhook.destination import require_destination
from domain.ad_webhook.errors import AdWebhookNotFound
from domain.ad_webhook.events import (
    AdWebhookClosed,
    AdWebhookDisabled,
    AdWebhookEvent,
    AdWebhookOpened,
    AdWebhookSecretRotated,
)
from domain.aggregate import Aggregate


class AdWebhook(Aggregate):
    """Where an advertiser is told things, signed with the secret of a number."""

    TOPIC = "ad_webhook"

    def __init__(self, *, advertiser_id: UUID, url: str, by: UUID) -> None:
        self.advertiser_id = advertiser_id
        self.url = url
        self.opened_by = by
        self.secret_number = 1
        self.is_open = True
        self.is_closed = False

    @classmethod
    def open(  # noqa: PLR0913 - the fields of the first event
        cls,
        webhook_id: UUID,
        *,
        advertiser_id: UUID,
        url: str,
        inside: Collection[str],
        by: UUID,
        at: datetime,
    ) -> Self:
        """Return a webhook.

        Raises:
            AdWebhookURLInvalid: it leads to where nothing may be sent.
        """
        require_destination(url, inside=inside)
        return cls.begin(
            AdWebhookOpened, webhook_id, at, advertiser_id=advertiser_id, url=url, by=by
        )

    def rotate_secret(self, *, by: UUID, at: datetime) -> None:
        """Sign with a new secret. A webhook that was disabled is told things again.

        Raises:
            AdWebhookNotFound: it was closed.
        """
        self._require_there()
        self.trigger(AdWebhookSecretRotated, at, by=by)

    def disable(self, *, failing_since: datetime, at: datetime) -> None:
        """Tell nothing there any more, until its secret is rotated."""
        if self.is_open:
            self.trigger(AdWebhookDisabled, at, failing_since=failing_since)

    def close(self, *, by: UUID, at: datetime) -> None:
        """Tell nothing there any more, for good.

        Raises:
            AdWebhookNotFound: it was closed before.
        """
        self._require_there()
        self.trigger(AdWebhookClosed, at, by=by)

    def evolve(self, event: AdWebhookEvent) -> None:
        match event:
            case AdWebhookOpened():
                pass  # __init__ took its fields.
            case AdWebhookSecretRotated():
                self.secret_number += 1
                self.is_open = True
            case AdWebhookDisabled():
                self.is_open = False
            case AdWebhookClosed():
                self.is_open, self.is_closed = False, True
            case _:
                assert_never(event)

    def _require_there(self) -> None:
        if self.is_closed:
            raise AdWebhookNotFound("The advertiser has no such webhook.")
