"""Routes of decision receipts: why an ad was shown where it was, at which price, and what it cost.

A receipt tells nothing of who saw the ad: no viewer, no pseudonym, no interest, and of the videos
beside it only those that everybody may see.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, LiteralString
from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from ads.beacons import BILLED, Beacon
from ads.lines import Kind
from ads.surfaces import SURFACES
from domain.errors import NotFound
from myriorama.api.ad_terms import Instant
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope

# Days are stored by their ordinals, surfaces by their numbers.
_DECIDED: LiteralString = """
    SELECT ad_decision_id, decided_at, line_id AS line_item_id, campaign_id, creative_id, kind,
           date '0001-01-01' + (day - 1) AS day,
           coalesce(%(surfaces)s::jsonb ->> surface::text, surface::text) AS surface, place,
           price_micros, bid_micros, multiplier, ecpm_micros, runner_up_micros, reserve_micros,
           p_view, p_click, p_billed, propensity, displaced_micros, viewer_micros, p_reached,
           reason AS rule, exact, rules AS rules_digest, version AS index_version, expires_ms,
           above, below
    FROM ad_decisions WHERE advertiser_id = %(advertiser_id)s
"""

_LISTED: LiteralString = """
      AND coalesce(day = %(day)s::integer, true) AND decided_at BETWEEN %(since)s AND %(until)s
      AND (decided_at, ad_decision_id) < (%(before)s, %(before_id)s::uuid)
    ORDER BY decided_at DESC, ad_decision_id DESC LIMIT %(limit)s
"""

# Each by an index of its own: of all, of a line item, and of one.
DECISIONS = _DECIDED + _LISTED
OF_LINE = _DECIDED + "AND line_id = %(line_item_id)s" + _LISTED
DECISION = _DECIDED + "AND ad_decision_id = %(ad_decision_id)s"

REPORTS = """
    SELECT c.beacon, c.reported_ms, c.micros, c.leaked_micros, c.mark,
           coalesce(r.micros, 0) AS credited_micros, r.reason AS credited_for
    FROM charges c LEFT JOIN credits r USING (decision_id, beacon, is_marked)
    WHERE c.decision_id = %s ORDER BY c.position
"""

NEIGHBOURS = """
    SELECT video_id, labels FROM videos
    WHERE video_id = ANY(%s) AND state = 'live' AND visibility = 'public'
"""

_SURFACES = msgspec.json.encode(
    {str(number.value): name for name, number in SURFACES.items()}
).decode()
_ALWAYS = (datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
_A_DAY = timedelta(days=1)
_LAST_ID = UUID(int=2**128 - 1)

Day = Annotated[
    date | None,
    QueryParameter(description="A date in the advertiser's zone."),
]


class AdDecisionNotFound(NotFound):
    """There is no such decision, or it placed no ad of this advertiser."""


class Decision(msgspec.Struct, frozen=True):
    """An ad that was shown, and how its price came about; amounts are micros of the currency.

    `price_micros` is of the event that the line's kind bills, at most `bid_micros`. The bid was
    weighed by the pacing `multiplier`; `reserve_micros` is the least that a place costs. The price
    is that, and (`displaced_micros` + `viewer_micros`) / (`p_reached` * `p_billed`), rounded down:
    what the page without this ad is worth beyond its other ads, and what the viewer loses by it,
    over how likely it is billed; null where it is not on record. `runner_up_micros` is what the
    best ad that was not shown would have paid for the place at most. `rule` says how the page was
    decided, by the index `index_version` under the rules `rules_digest`; `exact`: every way to fill
    it was looked at. `place` counts from the top of the page, from 0 on.
    """

    ad_decision_id: UUID
    decided_at: Instant
    line_item_id: UUID
    campaign_id: UUID
    creative_id: UUID
    kind: Kind
    day: date
    surface: str
    place: int
    price_micros: int
    bid_micros: int
    multiplier: float
    ecpm_micros: int
    runner_up_micros: int
    reserve_micros: int
    p_view: float
    p_click: float
    p_billed: float
    propensity: float
    displaced_micros: float | None
    viewer_micros: float | None
    p_reached: float | None
    rule: str
    exact: bool
    rules_digest: str
    index_version: int


class DecisionRow(Decision, frozen=True):
    """A decision as it lies on the read side."""

    expires_ms: int
    above: UUID | None
    below: UUID | None


class Reported(msgspec.Struct, frozen=True):
    """A report that was settled. `mark`: by this rule it is invalid, and costs nothing."""

    beacon: str
    reported_at: Instant
    mark: str | None


class ReportRow(msgspec.Struct, frozen=True):
    """A report as it was settled, and what it cost."""

    beacon: int
    reported_ms: int
    micros: int
    leaked_micros: int
    mark: str | None
    credited_micros: int
    credited_for: str | None


class Neighbour(msgspec.Struct, frozen=True):
    """A video beside the ad that everybody may see, and how it is labelled by now."""

    video_id: UUID
    labels: list[str]


Outcome = Literal["charged", "credited", "leaked", "invalid", "waiting", "not_reported"]


class Receipt(Decision, frozen=True):
    """A decision and what came of it.

    `outcome`: "charged"; "credited", for `reason`, after it was charged; "leaked": no budget had
    room left, so it is free; "invalid", by the rule in `reason`; "waiting", until `expires_at`; or
    "not_reported": nothing that is billed happened. `above` and `below` are null where there is no
    video, or one that not everybody may see. `price_words` tell how the price came about.
    """

    price_words: str
    outcome: Outcome
    charged_micros: int
    leaked_micros: int
    credited_micros: int
    reason: str | None
    expires_at: Instant
    reports: list[Reported]
    above: Neighbour | None
    below: Neighbour | None


@get("/decisions", opt={"scope": Scope.ADVERTISER})
async def list_ad_decisions(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    line_item_id: FromQuery[UUID | None] = None,
    day: Day = None,
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Decision]:
    """List what was decided for your ads, newest first: each ad that was shown."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    listing = f"ad_decisions:{advertiser_id}:{line_item_id}:{day}"
    after = cursors.read(listing, cursor)
    before = (
        (datetime.fromisoformat(str(after[0])), UUID(str(after[1])))
        if after
        else (_ALWAYS[1], _LAST_ID)
    )
    asked = _asked(advertiser_id, line_item_id=line_item_id, day=day, before=before)
    query = DECISIONS if line_item_id is None else OF_LINE
    found = await reads.many(DecisionRow, query, {**asked, "limit": limit + 1})
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda row: msgspec.convert(row, Decision, from_attributes=True),
        place=lambda row: (row.decided_at.isoformat(), str(row.ad_decision_id)),
    )


@get("/decisions/{ad_decision_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_ad_receipt(
    advertiser_id: FromPath[UUID],
    ad_decision_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> Receipt:
    """Read the receipt of a decision: rule, price, neighbours, and what it cost, or why not."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    asked = {
        "advertiser_id": advertiser_id,
        "ad_decision_id": ad_decision_id,
        "surfaces": _SURFACES,
    }
    row = await reads.one(DecisionRow, DECISION, asked)
    if row is None:
        raise AdDecisionNotFound("There is no such decision of this advertiser.")
    reports = await reads.many(ReportRow, REPORTS, (ad_decision_id,))
    beside = [each for each in (row.above, row.below) if each]
    found = await reads.many(Neighbour, NEIGHBOURS, (beside,))
    neighbours = {each.video_id: each for each in found}
    receipt = {
        **msgspec.structs.asdict(row),
        "price_words": _price_words(row),
        **_outcome(row, reports),
        "expires_at": _instant(row.expires_ms),
        "reports": [
            Reported(Beacon(each.beacon).name.lower(), _instant(each.reported_ms), each.mark)
            for each in reports
        ],
        "above": neighbours.get(row.above) if row.above else None,
        "below": neighbours.get(row.below) if row.below else None,
    }
    return msgspec.convert(receipt, Receipt)


def _asked(
    advertiser_id: UUID,
    *,
    line_item_id: UUID | None,
    day: date | None,
    before: tuple[datetime, UUID],
) -> dict[str, object]:
    since, until = _ALWAYS
    if day is not None and since.date() < day < until.date():
        # No zone's date begins or ends further from UTC's than a day.
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        since, until = begins - _A_DAY, begins + 2 * _A_DAY
    return {
        "advertiser_id": advertiser_id,
        "surfaces": _SURFACES,
        "line_item_id": line_item_id,
        "day": day.toordinal() if day else None,
        "since": since,
        "until": until,
        "before": before[0],
        "before_id": before[1],
    }


def _outcome(row: DecisionRow, reports: list[ReportRow]) -> dict[str, object]:
    """Return what became of the report that bills, and why it cost what it did."""
    of_kind = [each for each in reports if each.beacon == BILLED[row.kind]]
    # One that came invalid leaves room for a true one, which is what counts.
    billed = min(of_kind, key=lambda each: each.mark is not None, default=None)
    outcome: Outcome = "not_reported"
    if billed is None:
        is_open = datetime.now(UTC) < _instant(row.expires_ms)
        outcome = "waiting" if is_open else "not_reported"
    elif billed.mark is not None:
        outcome = "invalid"
    elif billed.leaked_micros:
        outcome = "leaked"
    else:
        outcome = "credited" if billed.credited_micros else "charged"
    return {
        "outcome": outcome,
        "charged_micros": billed.micros if billed else 0,
        "leaked_micros": billed.leaked_micros if billed else 0,
        "credited_micros": billed.credited_micros if billed else 0,
        "reason": (billed.mark or billed.credited_for) if billed else None,
    }


def _price_words(row: DecisionRow) -> str:
    """Return the sum that gives the price."""
    least, displaced, viewer = row.reserve_micros, row.displaced_micros, row.viewer_micros
    if displaced is None or viewer is None or not row.p_reached:
        return "What the page lost by this ad is not on record."
    if row.rule == "explored":
        return f"It was drawn, to learn of it, and pays the least that a place costs: {least}."
    chance = row.p_reached * row.p_billed
    exact = least + (displaced + viewer) / chance
    return (
        f"It pays what the page loses by it: {displaced:.3f} micros of other ads and {viewer:.3f} "
        f"of the viewer, over the {chance:.6f} by which it is billed, beyond the {least} that a "
        f"place costs at least: {exact:.3f}; in whole micros, not below that least and not above "
        f"the bid, {row.price_micros}."
    )


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


router = Router(
    "/v1/advertisers/{advertiser_id:uuid}",
    route_handlers=[list_ad_decisions, read_ad_receipt],
    tags=["Advertising"],
)
