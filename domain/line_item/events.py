"""What can happen to a line item. What is reviewed is its creatives: no edit here is."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent
from domain.frequency import FrequencyCap
from domain.line_item.terms import Schedule, Suitability, Targeting


@dataclass(frozen=True)
class LineItemOpened(InitialEvent):
    """A draft: nothing of it is shown yet. The currency is the advertiser's.

    `bid_micros` is what a thousand viewable impressions ("cpm"), a view ("cpv") or a click ("cpc")
    is worth at most. A guaranteed line is served by urgency. `category` separates competitors.
    """

    TOPIC = "line_item.opened"

    advertiser_id: UUID
    campaign_id: UUID
    name: str
    kind: str
    category: str
    guaranteed: bool
    bid_micros: int
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    schedule: Schedule
    targeting: Targeting
    caps: tuple[FrequencyCap, ...]
    suitability: Suitability
    creative_ids: tuple[UUID, ...]
    by: UUID


@dataclass(frozen=True)
class LineItemRenamed(Event):
    """It is called otherwise."""

    TOPIC = "line_item.renamed"

    name: str
    by: UUID


@dataclass(frozen=True)
class BidChanged(Event):
    """What is paid for is worth more to the advertiser, or less, than before."""

    TOPIC = "line_item.bid_changed"

    bid_micros: int
    by: UUID


@dataclass(frozen=True)
class BudgetsChanged(Event):
    """No day and no lifetime costs more than this, what was spent before included."""

    TOPIC = "line_item.budgets_changed"

    daily_budget_micros: int | None
    lifetime_budget_micros: int
    by: UUID


@dataclass(frozen=True)
class ScheduleChanged(Event):
    """It is shown at other times, or at another pace."""

    TOPIC = "line_item.schedule_changed"

    schedule: Schedule
    by: UUID


@dataclass(frozen=True)
class TargetingChanged(Event):
    """It is shown to other viewers."""

    TOPIC = "line_item.targeting_changed"

    targeting: Targeting
    by: UUID


@dataclass(frozen=True)
class LineItemCapsChanged(Event):
    """It is shown to one viewer more or less often."""

    TOPIC = "line_item.caps_changed"

    caps: tuple[FrequencyCap, ...]
    by: UUID


@dataclass(frozen=True)
class SuitabilityChanged(Event):
    """It is shown beside other videos."""

    TOPIC = "line_item.suitability_changed"

    suitability: Suitability
    by: UUID


@dataclass(frozen=True)
class CreativesAssigned(Event):
    """These are its creatives, all of them."""

    TOPIC = "line_item.creatives_assigned"

    creative_ids: tuple[UUID, ...]
    by: UUID


@dataclass(frozen=True)
class BidderChanged(Event):
    """Somebody outside bids for it, at this URL; or, None, nobody does."""

    TOPIC = "line_item.bidder_changed"

    bidder: str | None
    by: UUID


@dataclass(frozen=True)
class LineItemSubmitted(Event):
    """It is to be shown as soon as one of its creatives is approved."""

    TOPIC = "line_item.submitted"

    by: UUID


@dataclass(frozen=True)
class LineItemPaused(Event):
    """Nothing of it is shown, until it is resumed."""

    TOPIC = "line_item.paused"

    by: UUID


@dataclass(frozen=True)
class LineItemResumed(Event):
    """It is to be shown again."""

    TOPIC = "line_item.resumed"

    by: UUID


@dataclass(frozen=True)
class LineItemExhausted(Event):
    """Its lifetime budget is spent. A higher one lets it be shown again."""

    TOPIC = "line_item.exhausted"

    spent_micros: int


@dataclass(frozen=True)
class LineItemCompleted(Event):
    """The advertiser ended it for good, before its flight was over or after."""

    TOPIC = "line_item.completed"

    by: UUID


LineItemEvent = (
    LineItemOpened
    | LineItemRenamed
    | BidChanged
    | BudgetsChanged
    | ScheduleChanged
    | TargetingChanged
    | LineItemCapsChanged
    | SuitabilityChanged
    | CreativesAssigned
    | BidderChanged
    | LineItemSubmitted
    | LineItemPaused
    | LineItemResumed
    | LineItemExhausted
    | LineItemCompleted
)
