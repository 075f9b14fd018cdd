"""Line items as clients send and are shown them: bids, budgets, schedules, targeting."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.ad_categories import Category
from domain.line_item import terms
from domain.line_item.states import Stage, State, state_of
from domain.line_item.terms import AgeBand, Kind, Pacing, Platform, Tier
from myriorama.api.ad_terms import Cap, Caps, Instant, Micros, Name, caps_of, edits_of
from myriorama.application.line_items import Proposal

Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", examples=["DE"])]
Language = Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}$", examples=["de"])]
Term = Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["claymation"])]
Hours = Annotated[
    str,
    msgspec.Meta(
        pattern="^[01]{168}$",
        description="A 1 for each hour of the week, from Monday at midnight, in your zone.",
        examples=["0" * 8 + "1" * 160],
    ),
]
Bidder = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=512,
        description="Where somebody outside is asked by OpenRTB 2.6 what is bid for one viewer.",
        examples=["https://bidder.example.com/openrtb2"],
    ),
]
CreativeIDs = Annotated[list[UUID], msgspec.Meta(max_length=20, examples=[[]])]


class Targeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which viewers: those of any value of every axis. An axis without values is everybody."""

    countries: Annotated[list[Country], msgspec.Meta(max_length=250)] = []
    languages: Annotated[list[Language], msgspec.Meta(max_length=250)] = []
    age_bands: Annotated[list[AgeBand], msgspec.Meta(max_length=3)] = []
    interests: Annotated[list[Term], msgspec.Meta(max_length=250)] = []
    platforms: Annotated[list[Platform], msgspec.Meta(max_length=3)] = []


class Suitability(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Beside which videos: those of the tier, and none that is blocked."""

    tier: Tier = "standard"
    blocked_categories: Annotated[list[Category], msgspec.Meta(max_length=26)] = []
    blocked_authors: Annotated[list[UUID], msgspec.Meta(max_length=1000)] = []
    blocked_keywords: Annotated[list[Term], msgspec.Meta(max_length=1000)] = []


class NewLineItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is bid for which viewers. Kind, category and guarantee are for good.

    The bid is for a thousand viewable impressions (cpm), a view (cpv) or a click (cpc). No day and
    no lifetime costs more than its budget, whatever happens. Times without an end are as long as
    the campaign's.
    """

    name: Name
    kind: Kind
    bid_micros: Annotated[Micros, msgspec.Meta(examples=[4_200_000])]
    lifetime_budget_micros: Micros
    starts_at: Instant
    daily_budget_micros: Micros | None = None
    ends_at: Instant | None = None
    hours: Hours | None = None
    pacing: Pacing = "even"
    category: Category | None = None
    guaranteed: bool = False
    targeting: Targeting = msgspec.field(default_factory=Targeting)
    caps: Caps = []
    suitability: Suitability = msgspec.field(default_factory=Suitability)
    creative_ids: CreativeIDs = []
    bidder: Bidder | None = None


class LineItemEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. None of it is reviewed."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    bid_micros: Micros | msgspec.UnsetType = msgspec.UNSET
    daily_budget_micros: Micros | msgspec.UnsetType | None = msgspec.UNSET
    lifetime_budget_micros: Micros | msgspec.UnsetType = msgspec.UNSET
    starts_at: Instant | msgspec.UnsetType = msgspec.UNSET
    ends_at: Instant | msgspec.UnsetType | None = msgspec.UNSET
    hours: Hours | msgspec.UnsetType | None = msgspec.UNSET
    pacing: Pacing | msgspec.UnsetType = msgspec.UNSET
    targeting: Targeting | msgspec.UnsetType = msgspec.UNSET
    caps: Caps | msgspec.UnsetType = msgspec.UNSET
    suitability: Suitability | msgspec.UnsetType = msgspec.UNSET
    creative_ids: CreativeIDs | msgspec.UnsetType = msgspec.UNSET
    bidder: Bidder | msgspec.UnsetType | None = msgspec.UNSET


class LineItem(msgspec.Struct, frozen=True):
    """What is bid for which viewers, and in which state it is.

    Submitted, it is in review until one of its creatives is approved, and rejected if none may be.
    It is completed once its flight or its campaign is over, or somebody ended it.
    """

    line_item_id: UUID
    advertiser_id: UUID
    campaign_id: UUID
    name: str
    kind: Kind
    category: str
    guaranteed: bool
    bid_micros: int
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    starts_at: Instant
    ends_at: Instant | None
    hours: str | None
    pacing: Pacing
    targeting: Targeting
    caps: list[Cap]
    suitability: Suitability
    creative_ids: list[UUID]
    bidder: str | None
    state: State
    opened_at: Instant


class LineItemRow(msgspec.Struct, frozen=True):
    """A line item as it lies on the read side, with the states of its creatives."""

    line_item_id: UUID
    advertiser_id: UUID
    campaign_id: UUID
    name: str
    kind: Kind
    category: str
    guaranteed: bool
    bid_micros: int
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    exhausted_micros: int
    starts_at: datetime
    ends_at: datetime | None
    hours: str | None
    pacing: Pacing
    targeting: object
    caps: object
    suitability: object
    creative_ids: list[UUID]
    bidder: str | None
    stage: Stage
    opened_at: datetime
    opened_position: int
    version: int
    creative_states: list[str]
    is_over: bool


def proposal_of(new: NewLineItem) -> Proposal:
    """Return what is to be opened, as the domain has it."""
    return Proposal(
        terms=terms.Terms(
            name=new.name,
            bid_micros=new.bid_micros,
            daily_budget_micros=new.daily_budget_micros,
            lifetime_budget_micros=new.lifetime_budget_micros,
            schedule=terms.Schedule(new.starts_at, new.ends_at, new.hours, new.pacing),
            targeting=_targeting(new.targeting),
            caps=caps_of(new.caps),
            suitability=_suitability(new.suitability),
            creative_ids=tuple(new.creative_ids),
            bidder=new.bidder,
        ),
        kind=new.kind,
        category=new.category,
        guaranteed=new.guaranteed,
    )


def line_item_edits(edit: LineItemEdit) -> dict[str, object]:
    """Return what is to be different, as the domain has it."""
    edits = edits_of(edit)
    if edit.targeting is not msgspec.UNSET:
        edits["targeting"] = _targeting(edit.targeting)
    if edit.suitability is not msgspec.UNSET:
        edits["suitability"] = _suitability(edit.suitability)
    if edit.creative_ids is not msgspec.UNSET:
        edits["creative_ids"] = tuple(edit.creative_ids)
    return edits


def line_item_of(row: LineItemRow) -> LineItem:
    """Return a line item as its members see it."""
    shown = {name: getattr(row, name) for name in row.__struct_fields__}
    spent = row.exhausted_micros >= row.lifetime_budget_micros
    stage: Stage = "exhausted" if spent and row.stage in {"submitted", "paused"} else row.stage
    shown["state"] = state_of(stage, row.creative_states, is_over=row.is_over)
    return msgspec.convert(shown, LineItem)


def _targeting(targeting: Targeting) -> terms.Targeting:
    return terms.Targeting(
        countries=tuple(targeting.countries),
        languages=tuple(targeting.languages),
        age_bands=tuple(targeting.age_bands),
        interests=tuple(targeting.interests),
        platforms=tuple(targeting.platforms),
    )


def _suitability(suitability: Suitability) -> terms.Suitability:
    return terms.Suitability(
        tier=suitability.tier,
        blocked_categories=tuple(suitability.blocked_categories),
        blocked_authors=tuple(suitability.blocked_authors),
        blocked_keywords=tuple(suitability.blocked_keywords),
    )
