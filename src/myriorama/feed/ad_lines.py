"""The lines that may be shown, as the read side has them now: what an index of ads is made from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool

from ads.lines import Cap, Creative, Kind, Line, Scope, Suitability, Targeting
from domain.ad_categories import ADULTS_ONLY

SERVABLE = Path(__file__).with_name("ad_lines.sql").read_bytes()

READ_FROM = ("advertisers", "campaigns", "line_items", "creatives", "commercial_grants")
"""The projections whose tables the lines are read from: a change of any may change an index."""

_ADULTS = "18+"


@dataclass(frozen=True)
class ServableLine:
    """A line, and what its pacing goes by: "even", "asap" or "front", and its hard budgets.

    `daily_budget_micros` None is: the lifetime budget alone. Days are those of `line.zone`.
    """

    line: Line
    pacing: str
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    currency: str


class LineRow(msgspec.Struct, frozen=True):
    """A line as it lies on the read side."""

    line_item_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    kind: Kind
    bid_micros: int
    category: str
    guaranteed: bool
    pacing: str
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    hours: str | None
    targeting: object
    suitability: object
    caps: object
    campaign_caps: object
    advertiser_caps: object
    zone: str
    currency: str
    starts_at: datetime
    ends_at: datetime | None
    creatives: object
    bidder: str | None = None


async def servable_lines(
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
    *,
    at: datetime,
    sandbox: UUID | None = None,
) -> Sequence[ServableLine]:
    """Return every line that may be shown now, or in a flight to come.

    Those of sandboxes are shown to no viewer and left out; of a `sandbox` it is its own alone.

    Each is submitted and not exhausted, of a campaign that is active, and has a creative that is
    approved, not recalled, and shows only cameos that are granted to the advertiser. What is for
    adults only is for nobody else, whomever the line is for.
    """
    async with (
        pool.connection() as connection,
        connection.cursor(row_factory=class_row(LineRow)) as cursor,
    ):
        asked = {"at": at, "sandbox": sandbox}
        rows = await (await cursor.execute(SERVABLE, asked)).fetchall()
    return [servable for row in rows if (servable := servable_of(row))]


def read_servable(
    connection: Connection[TupleRow], *, at: datetime, sandbox: UUID | None = None
) -> Sequence[ServableLine]:
    """Return the same to who waits for it."""
    with connection.cursor(row_factory=class_row(LineRow)) as cursor:
        rows = cursor.execute(SERVABLE, {"at": at, "sandbox": sandbox}).fetchall()
    return [servable for row in rows if (servable := servable_of(row))]


def servable_of(row: LineRow) -> ServableLine | None:
    """Return a line as the auction has it; None: it is for nobody who may be shown it."""
    creatives = msgspec.convert(row.creatives, list[_CreativeRow])
    targeting = _targeting(row, creatives)
    if targeting is None:
        return None
    line = Line(
        line_id=row.line_item_id,
        campaign_id=row.campaign_id,
        advertiser_id=row.advertiser_id,
        kind=row.kind,
        bid_micros=row.bid_micros // 1000 if row.kind == "cpm" else row.bid_micros,
        creatives=tuple(map(_creative, creatives)),
        targeting=targeting,
        caps=_caps(row, creatives),
        suitability=msgspec.convert(row.suitability, Suitability),
        category=row.category,
        flight_from_ms=_ms(row.starts_at),
        flight_until_ms=_ms(row.ends_at) if row.ends_at else 1 << 62,
        daypart=tuple(hour == "1" for hour in row.hours) if row.hours else None,
        guaranteed=row.guaranteed,
        zone=row.zone,
        bidder=row.bidder or "",
    )
    return ServableLine(
        line, row.pacing, row.daily_budget_micros, row.lifetime_budget_micros, row.currency
    )


class _CapRow(msgspec.Struct, frozen=True):
    count: int
    window_s: int


class _CreativeRow(msgspec.Struct, frozen=True):
    creative_id: UUID
    video_key: str
    duration_ms: int
    landing_url: str
    call_to_action: str
    category: str
    cameo_ids: tuple[UUID, ...]
    ai_label: str
    caps: tuple[_CapRow, ...]


def _targeting(row: LineRow, creatives: Iterable[_CreativeRow]) -> Targeting | None:
    """Return whom a line is for, or None if that is nobody who may be shown it."""
    targeting = msgspec.convert(row.targeting, Targeting)
    if ADULTS_ONLY.isdisjoint({row.category, *(creative.category for creative in creatives)}):
        return targeting
    if targeting.age_bands and _ADULTS not in targeting.age_bands:
        return None
    return msgspec.structs.replace(targeting, age_bands=frozenset({_ADULTS}))


def _creative(row: _CreativeRow) -> Creative:
    return Creative(
        creative_id=row.creative_id,
        video_key=row.video_key,
        duration_ms=row.duration_ms,
        click_url=row.landing_url,
        call_to_action=row.call_to_action,
        category=row.category,
        cameo_ids=row.cameo_ids,
        ai_label=bool(row.ai_label),
    )


def _caps(row: LineRow, creatives: Iterable[_CreativeRow]) -> tuple[Cap, ...]:
    """Return the caps of every level. Those of one creative hold for each of the line's."""
    of_line = msgspec.convert(row.caps, tuple[_CapRow, ...])
    of_campaign = msgspec.convert(row.campaign_caps, tuple[_CapRow, ...])
    of_advertiser = msgspec.convert(row.advertiser_caps, tuple[_CapRow, ...])
    of_creatives = tuple(cap for creative in creatives for cap in creative.caps)
    levels: tuple[tuple[Scope, tuple[_CapRow, ...]], ...] = (
        ("line", of_line),
        ("campaign", of_campaign),
        ("advertiser", of_advertiser),
        ("creative", of_creatives),
    )
    return tuple(
        dict.fromkeys(Cap(scope, cap.count, cap.window_s) for scope, caps in levels for cap in caps)
    )


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
