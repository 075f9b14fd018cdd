"""What can happen to the commercial use of a cameo by one advertiser."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class CommercialUseGranted(InitialEvent):
    """The owner lets an advertiser show the cameo in ads, until `expires_at` if it is ever over."""

    TOPIC = "commercial_grant.granted"

    cameo_id: UUID
    advertiser_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True)
class CommercialUseRenewed(Event):
    """The owner granted it again, or until another time."""

    TOPIC = "commercial_grant.renewed"

    cameo_id: UUID
    advertiser_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True)
class CommercialUseWithdrawn(Event):
    """The owner lets the advertiser show the cameo no more."""

    TOPIC = "commercial_grant.withdrawn"

    cameo_id: UUID
    advertiser_id: UUID


CommercialGrantEvent = CommercialUseGranted | CommercialUseRenewed | CommercialUseWithdrawn
