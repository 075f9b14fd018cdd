"""What can happen to a campaign."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Event, InitialEvent
from domain.frequency import FrequencyCap


@dataclass(frozen=True)
class CampaignOpened(InitialEvent):
    """An advertiser wants "awareness", "views" or "visits", within a flight.

    All line items together spend at most `budget_micros` (None: each its own alone). The flight is
    from `starts_at` until `ends_at` (None: until it is completed).
    """

    TOPIC = "campaign.opened"

    advertiser_id: UUID
    name: str
    objective: str
    budget_micros: int | None
    starts_at: datetime
    ends_at: datetime | None
    caps: tuple[FrequencyCap, ...]
    by: UUID


@dataclass(frozen=True)
class CampaignEdited(Event):
    """The campaign has another name, objective, flight or other caps."""

    TOPIC = "campaign.edited"

    name: str
    objective: str
    starts_at: datetime
    ends_at: datetime | None
    caps: tuple[FrequencyCap, ...]
    by: UUID


@dataclass(frozen=True)
class CampaignBudgetChanged(Event):
    """All line items together spend at most this, what was spent before included."""

    TOPIC = "campaign.budget_changed"

    budget_micros: int | None
    by: UUID


@dataclass(frozen=True)
class CampaignPaused(Event):
    """None of its ads is shown, until it is resumed."""

    TOPIC = "campaign.paused"

    by: UUID


@dataclass(frozen=True)
class CampaignResumed(Event):
    """Its ads may be shown again."""

    TOPIC = "campaign.resumed"

    by: UUID


@dataclass(frozen=True)
class CampaignCompleted(Event):
    """It is over for good: nothing of it is shown or changed any more."""

    TOPIC = "campaign.completed"

    by: UUID


CampaignEvent = (
    CampaignOpened
    | CampaignEdited
    | CampaignBudgetChanged
    | CampaignPaused
    | CampaignResumed
    | CampaignCompleted
)
