"""How a line item is paced, over HTTP: what a day was to spend and what it spent, by half hours."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import accumulate, pairwise
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from ads.days import HALF_HOUR_MS, day_of, half_hours_ms
from ads.targets import Mode
from domain.errors import Invalid
from domain.line_item.errors import LineItemNotFound
from myriorama.api.ad_terms import Instant
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope

LINE = """
    SELECT l.advertiser_id, l.pacing, l.guaranteed, l.daily_budget_micros, a.zone, a.currency,
           p.multiplier
    FROM line_items l JOIN advertisers a USING (advertiser_id)
    LEFT JOIN ad_pacing p ON p.line_id = l.line_item_id
    WHERE l.line_item_id = %s
"""

PLAN = """
    SELECT mode, budget_micros, planned, multipliers FROM pacing_days
    WHERE line_id = %s AND day = %s
"""

# Reports that come after the day has ended are paid of its budget as well.
SPENT = """
    SELECT least(greatest((reported_ms - %(begins)s) / %(half)s, 0), %(last)s)::integer AS half,
           sum(micros)::bigint AS micros
    FROM charges WHERE line_id = %(line_item_id)s AND day = %(day)s
    GROUP BY 1
"""

_YEARS = range(2000, 2200)

Day = Annotated[
    date | None,
    QueryParameter(description="A date in the advertiser's zone; without one, today."),
]


class PacingDayInvalid(Invalid):
    """A day of pacing lies in the years 2000 to 2199."""


class HalfHour(msgspec.Struct, frozen=True):
    """Half an hour of a day: `total` counts from the day's beginning to `ends_at`.

    `plan_total_micros` is what was to be spent by then, and `plan_micros` in this half hour: what
    is over as it was planned at the time, what is to come as it is planned now; null where there
    was no plan. `multiplier` is the part of its bid that the line item last bid in it, if known.
    """

    begins_at: Instant
    ends_at: Instant
    plan_micros: int | None
    plan_total_micros: int | None
    spent_micros: int
    spent_total_micros: int
    multiplier: float | None


class PacingDay(msgspec.Struct, frozen=True):
    """A day of a line item, in the advertiser's zone: a day of 23 or 25 hours has 46 or 50 halves.

    `budget_micros` is what pacing let the day spend, or the daily budget where nothing was planned;
    null if there is none. What was spent is what reports were charged of the day's budget, when
    they came; those that came later count in its last half hour. `multiplier` is the part of its
    bid that the line item bids now.
    """

    line_item_id: UUID
    day: date
    zone: str
    currency: str
    pacing: Mode
    guaranteed: bool
    budget_micros: int | None
    spent_micros: int
    multiplier: float
    half_hours: list[HalfHour]


class LineRow(msgspec.Struct, frozen=True):
    """A line item, its advertiser, and what it bids now."""

    advertiser_id: UUID
    pacing: Mode
    guaranteed: bool
    daily_budget_micros: int | None
    zone: str
    currency: str
    multiplier: float | None


class PlanRow(msgspec.Struct, frozen=True):
    """A day as it was paced; see migrations/0132_pacing_days.sql."""

    mode: Mode
    budget_micros: int
    planned: list[int | None]
    multipliers: list[float | None]


class SpentRow(msgspec.Struct, frozen=True):
    """What was charged in a half hour of a day."""

    half: int
    micros: int


@get("/line-items/{line_item_id:uuid}/pacing", opt={"scope": Scope.ADVERTISER})
async def read_pacing(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    day: Day = None,
) -> PacingDay:
    """Read what a line item was to spend of a day's budget, and what it spent, by half hours."""
    line = await reads.one(LineRow, LINE, (line_item_id,))
    refusal = LineItemNotFound("There is no such line item.")
    of = line.advertiser_id if line else None
    await tenancy.require_of(of, refusal, by=principal.account_id)
    if line is None:
        raise refusal
    if day is not None and day.year not in _YEARS:
        raise PacingDayInvalid("A day of pacing lies in the years 2000 to 2199.")
    zone = ZoneInfo(line.zone)
    asked = day or day_of(int(datetime.now(UTC).timestamp() * 1000), zone)
    edges = half_hours_ms(asked, zone)
    plan = await reads.one(PlanRow, PLAN, (line_item_id, asked.toordinal()))
    of_charges = {
        "line_item_id": line_item_id,
        "day": asked.toordinal(),
        "begins": edges[0],
        "half": HALF_HOUR_MS,
        "last": len(edges) - 2,
    }
    charged = await reads.many(SpentRow, SPENT, of_charges)
    spent = {row.half: row.micros for row in charged}
    return PacingDay(
        line_item_id,
        asked,
        line.zone,
        line.currency,
        plan.mode if plan else line.pacing,
        line.guaranteed,
        plan.budget_micros if plan else line.daily_budget_micros,
        sum(spent.values()),
        1.0 if line.multiplier is None else line.multiplier,
        list(_half_hours(edges, plan, spent)),
    )


def _half_hours(
    edges: Sequence[int], plan: PlanRow | None, spent: Mapping[int, int]
) -> Iterator[HalfHour]:
    halves = len(edges) - 1
    planned = plan.planned if plan else [None] * (halves + 1)
    multipliers = plan.multipliers if plan else [None] * halves
    micros = [spent.get(half, 0) for half in range(halves)]
    moments = [datetime.fromtimestamp(edge / 1000, UTC) for edge in edges]
    plans, spans, totals = pairwise(planned), pairwise(moments), accumulate(micros)
    rows = zip(spans, plans, micros, totals, multipliers, strict=True)
    for (begins_at, ends_at), (before, by_then), of_half, total, multiplier in rows:
        # A plan that is cut takes back what it had planned, which nobody can spend.
        wanted = None if before is None or by_then is None else max(by_then - before, 0)
        yield HalfHour(begins_at, ends_at, wanted, by_then, of_half, total, multiplier)


router = Router("/v1", route_handlers=[read_pacing], tags=["Advertising"])
