"""Routes of what a line item could expect: a forecast of one to be, and why one is not shown."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ads import forecast as forecasts
from ads import funnel as funnels
from ads.days import day_of
from domain.line_item.errors import LineItemNotFound
from domain.line_item.states import State
from myriorama.api.ad_obstacles import BUDGETS, STANDING, Budget, Obstacle, Standing, obstacles_of
from myriorama.api.line_item_shapes import LineItemRow, NewLineItem, line_item_of, proposal_of
from myriorama.api.line_items import ONE
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.line_items import LineItems, Proposal
from myriorama.billing.spending import UNLIMITED_MICROS
from myriorama.feed.ad_outlook import AdOutlook, Outlook, Proposed
from myriorama.store.front import Front
from myriorama.store.identity import new_id

PAGES_MIN = 100
"""With fewer recorded pages, a forecast is worth little."""

Step = funnels.Step
Trust = Literal["none", "little", "fair"]

WORDS: dict[Step, str] = {
    "page_full": "there was no room for another ad",
    "hours": "it is not shown at that hour",
    "country": "the viewer is in another country",
    "language": "the viewer speaks another language",
    "age": "the viewer is of another age, or it is not to be known",
    "platform": "the viewer uses another platform",
    "interests": "the viewer has other interests, or they are not to be used",
    "hidden_or_minor": "the viewer has hidden it, or is too young for it",
    "frequency_caps": "the viewer was shown as many as the caps allow",
    "unsafe_page": "nothing on the page may have an ad beside it",
    "neighbours": "what it may not stand beside was everywhere on the page",
    "below_reserve": "it bids less than a place costs",
    "outbid": "others brought more for the place",
}


class Range(msgspec.Struct, frozen=True):
    """What is expected, and between what it lies nine times of ten by the pages that there are."""

    low: float
    expected: float
    high: float


class Forecast(msgspec.Struct, frozen=True):
    """What the first whole day of its flight would bring a line item.

    Made of the last day's `recorded_pages`, which stand for `pages`, by holding their auctions once
    more with the line item among those who bid now. `impressions` are ads on pages, `billed` what
    costs something, `price_micros` the average of one of them, `multiplier` the part of the bid by
    which the budget lasts. Where it would be shown to fewer than ten viewers, numbers are null.
    """

    day: date | None
    recorded_pages: int
    viewers: int
    pages: float
    impressions: Range | None
    billed: Range | None
    spend_micros: Range | None
    win_rate: float | None
    price_micros: int | None
    multiplier: float | None
    trust: Trust
    words: str


class Lost(msgspec.Struct, frozen=True):
    """Recorded pages that are lost by one of these steps; none is named where viewers are few."""

    steps: list[Step]
    pages: int
    words: str


class RecordedPages(msgspec.Struct, frozen=True):
    """What would become of the last day's recorded pages now.

    `price_to_win_micros` is the smallest of some larger bids by which half of the pages that are
    lost by the bid would be won, as `bid_micros` is: null if there is none.
    """

    pages: int
    viewers: int
    won: int
    lost: list[Lost]
    price_to_win_micros: int | None


class Diagnosis(msgspec.Struct, frozen=True):
    """Why a line item is shown, or is not.

    `reasons` are what keeps it from every page. `recorded` is by what single pages are lost; null
    if fewer than ten viewers looked at any. `multiplier` is the part of its bid that pacing bids.
    """

    line_item_id: UUID
    state: State
    is_serving: bool
    reasons: list[Obstacle]
    budgets: list[Budget]
    multiplier: float
    recorded: RecordedPages | None


@post(
    "/campaigns/{campaign_id:uuid}/forecasts",
    opt={"scope": Scope.ADVERTISER},
    status_code=200,
)
async def forecast_line_item(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    campaign_id: FromPath[UUID],
    data: JSONBody[NewLineItem],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    ad_outlook: NamedDependency[AdOutlook],
    front: NamedDependency[Front],
) -> Forecast:
    """Forecast what a line item would bring if it were opened; nothing is stored."""
    by, at = principal.account_id, datetime.now(UTC)
    proposal = await front.command(line_items.propose, campaign_id, proposal_of(data), by=by, at=at)
    return _forecast(await ad_outlook.forecast(_proposed(campaign_id, proposal), by=by))


@get("/line-items/{line_item_id:uuid}/diagnostics", opt={"scope": Scope.ADVERTISER})
async def diagnose_line_item(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    ad_outlook: NamedDependency[AdOutlook],
) -> Diagnosis:
    """Tell why a line item is not shown: what keeps it from all pages, and by what it loses one."""
    row = await reads.one(LineItemRow, ONE, (line_item_id,))
    refusal = LineItemNotFound("There is no such line item.")
    owner = row.advertiser_id if row else None
    await tenancy.require_of(owner, refusal, by=principal.account_id)
    if row is None:
        raise refusal
    line_item = line_item_of(row)
    standing = await reads.one(Standing, STANDING, (line_item_id,))
    if standing is None:
        raise refusal
    now = datetime.now(UTC)
    asked = (
        UNLIMITED_MICROS,
        row.advertiser_id,
        row.campaign_id,
        line_item_id,
        line_item_id,
        day_of(int(now.timestamp() * 1000), ZoneInfo(standing.zone)).toordinal(),
    )
    budgets = await reads.many(Budget, BUDGETS, asked)
    reasons = list(obstacles_of(line_item.state, standing, budgets, now))
    outlook = await ad_outlook.funnel(
        msgspec.convert(row, Proposed, from_attributes=True), by=principal.account_id
    )
    return Diagnosis(
        line_item_id,
        line_item.state,
        not reasons,
        reasons,
        budgets,
        outlook.multiplier if outlook else 1.0,
        _recorded(outlook, row),
    )


def _proposed(campaign_id: UUID, proposal: Proposal) -> Proposed:
    terms = proposal.terms
    built = msgspec.to_builtins({"of": [terms.targeting, terms.suitability, terms.caps]})["of"]
    return msgspec.convert(
        {
            "line_item_id": new_id(),
            "campaign_id": campaign_id,
            "kind": proposal.kind,
            "bid_micros": terms.bid_micros,
            "category": proposal.category,
            "guaranteed": proposal.guaranteed,
            "pacing": terms.schedule.pacing,
            "daily_budget_micros": terms.daily_budget_micros,
            "lifetime_budget_micros": terms.lifetime_budget_micros,
            "hours": terms.schedule.hours,
            "starts_at": terms.schedule.starts_at,
            "ends_at": terms.schedule.ends_at,
            "targeting": built[0],
            "suitability": built[1],
            "caps": built[2],
            "creative_ids": list(terms.creative_ids),
            "bidder": terms.bidder,
        },
        Proposed,
    )


def _forecast(found: forecasts.Forecast | None) -> Forecast:
    if found is None:
        words = "Nobody may be shown it: its category is for adults, and it is for others."
        return Forecast(None, 0, 0, 0.0, None, None, None, None, None, None, "none", words)
    few = found.viewers_won < funnels.VIEWERS_MIN
    trust: Trust = "fair" if found.recorded_pages >= PAGES_MIN else "little"
    return Forecast(
        found.day,
        found.recorded_pages,
        found.viewers,
        found.pages,
        None if few else Range(*found.impressions),
        None if few else Range(*found.billed),
        None if few else Range(*found.spend_micros),
        None if few else found.win_rate,
        None if few else found.price_micros,
        None if few else found.multiplier,
        "none" if few else trust,
        _words(found, few=few),
    )


def _words(found: forecasts.Forecast, *, few: bool) -> str:
    if not found.recorded_pages:
        return "No page was recorded in the last day: there is nothing to forecast from."
    if few:
        return (
            f"Of the {found.recorded_pages} pages that were recorded, it would be shown to fewer "
            "than ten viewers: that is not told, and would tell little."
        )
    rests = f"It rests on {found.recorded_pages} pages that were recorded in the last day"
    if found.recorded_pages < PAGES_MIN:
        return f"{rests}, which are few: take it for a hint."
    return f"{rests}; others may bid otherwise on that day."


def _recorded(outlook: Outlook | None, row: LineItemRow) -> RecordedPages | None:
    if outlook is None or outlook.funnel.viewers < funnels.VIEWERS_MIN:
        return None
    found = outlook.funnel
    price = found.price_to_win_micros
    return RecordedPages(
        found.pages,
        found.viewers,
        found.won,
        [Lost([*each.steps], each.pages, _why(each.steps)) for each in found.lost],
        None if price is None else price * (1000 if row.kind == "cpm" else 1),
    )


def _why(steps: Sequence[Step]) -> str:
    words = "; or ".join(WORDS[step] for step in steps)
    return words or "not told, because few viewers are among them"


router = Router(
    "/v1", route_handlers=[forecast_line_item, diagnose_line_item], tags=["Advertising"]
)
