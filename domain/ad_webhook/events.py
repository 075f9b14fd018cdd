"""What can happen to a webhook of an advertiser. No event has its secret, which is derived."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class AdWebhookOpened(InitialEvent):
    """An advertiser is to be told at `url` from now on."""

    TOPIC = "ad_webhook.opened"

    advertiser_id: UUID
    url: str
    by: UUID


@dataclass(frozen=True)
class AdWebhookSecretRotated(Event):
    """What is told is signed with a new secret, and for a day with the one before, too."""

    TOPIC = "ad_webhook.secret_rotated"

    by: UUID


@dataclass(frozen=True)
class AdWebhookDisabled(Event):
    """Nobody had answered there since `failing_since`: nothing is told there any more."""

    TOPIC = "ad_webhook.disabled"

    failing_since: datetime


@dataclass(frozen=True)
class AdWebhookClosed(Event):
    """Nothing is told there any more, for good."""

    TOPIC = "ad_webhook.closed"

    by: UUID


AdWebhookEvent = AdWebhookOpened | AdWebhookSecretRotated | AdWebhookDisabled | AdWebhookClosed
