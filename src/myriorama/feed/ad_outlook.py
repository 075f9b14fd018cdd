"""What a line item could expect: the pages of the last day, decided once more with it.

Pages are read from the log of views, lines as the index of ads has them. No more pages than a bound
are decided, one asking at a time and accounts by turns, in a thread that lets the pages of the feed
go first.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool

from ads.days import bounds_ms
from ads.forecast import Forecast, day_ahead, forecast
from ads.funnel import Funnel, funnel
from ads.lines import Kind, Line
from ads.record import AdRecord
from ads.replaying import Market, Recorded
from ads.simulation import RIVALS, page_id
from ads.targets import daily_slice_micros
from myriorama.feed.ad_chances import in_force
from myriorama.feed.ad_lines import LineRow, servable_lines, servable_of
from myriorama.feed.turns import Turns

logger = structlog.get_logger(__name__)

PAGES_MAX = 1500
_FUNNEL_MAX = 500

_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
_DAYS_MAX = 400
_SEED = 1
_NOMINAL_MS = 10_000

# What was simulated is for the sandbox alone that it was simulated for.
_COUNT = """
    SELECT count(*) FROM slates
    WHERE recorded_at > %s AND (ads #>> '{auction,context,viewer}') IS NOT NULL
      AND CASE WHEN feed = 'sandbox' THEN decision_id = ANY(%s) ELSE %s END
"""

# By a part of the random ID, so that a sample is the same whoever takes it.
_RECORDED = """
    SELECT ads::text FROM slates
    WHERE recorded_at > %s AND (ads #>> '{auction,context,viewer}') IS NOT NULL
      AND CASE WHEN feed = 'sandbox' THEN decision_id = ANY(%s) ELSE %s END
      AND ('x' || right(decision_id::text, 7))::bit(28)::integer %% %s = 0
    ORDER BY recorded_at, position LIMIT %s
"""

_SIMULATED = """
    SELECT simulation_id, pages_done FROM ad_simulations
    WHERE advertiser_id = %s AND ended_at > %s OR advertiser_id = %s AND state = 'running'
"""

_PLACED = """
    SELECT c.campaign_id, c.advertiser_id, a.category, a.zone, a.currency, a.sandbox,
           c.caps AS campaign_caps, a.caps AS advertiser_caps, c.starts_at, c.ends_at,
           coalesce((
               SELECT jsonb_agg(jsonb_build_object(
                   'creative_id', v.creative_id, 'video_key', v.video_key,
                   'duration_ms', v.duration_ms, 'landing_url', v.landing_url,
                   'call_to_action', v.call_to_action, 'category', v.category,
                   'cameo_ids', v.cameo_ids, 'ai_label', v.ai_label, 'caps', v.caps
               ) ORDER BY v.creative_id)
               FROM creatives v
               WHERE v.creative_id = ANY(%s) AND v.advertiser_id = c.advertiser_id
           ), '[]') AS creatives
    FROM campaigns c JOIN advertisers a USING (advertiser_id) WHERE c.campaign_id = %s
"""

_MULTIPLIERS = """
    SELECT b.line_id, coalesce(p.multiplier, 1) FROM budgeted_lines b
    LEFT JOIN ad_pacing p USING (line_id) WHERE b.may_spend
"""


class Proposed(msgspec.Struct, frozen=True):
    """A line item as it is, or as it would be; its creatives need not be approved."""

    line_item_id: UUID
    campaign_id: UUID
    kind: Kind
    bid_micros: int
    category: str
    guaranteed: bool
    pacing: str
    daily_budget_micros: int | None
    lifetime_budget_micros: int
    hours: str | None
    starts_at: datetime
    ends_at: datetime | None
    targeting: object
    suitability: object
    caps: object
    creative_ids: list[UUID]
    bidder: str | None = None


class Placed(NamedTuple):
    """A line item as the auction has it, and the sandbox that it is of, if it is of one."""

    line: Line
    sandbox: UUID | None


class Outlook(NamedTuple):
    """Where on the way a line is lost, at which part of its bid."""

    funnel: Funnel
    multiplier: float


class AdOutlook:
    """Asks recorded pages. Lives in one event loop."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool
        self._turns = Turns()

    async def forecast(self, proposed: Proposed, *, by: UUID) -> Forecast | None:
        """Forecast the first whole day of a line item's flight; None: nobody may be shown it."""
        now = datetime.now(UTC)
        async with self._turns.turn(by):
            placed = await self._placed(proposed)
            if placed is None:
                return None
            line, sandbox = placed
            market = await self._market(now, sandbox)
            read = await self._pages(now, PAGES_MAX, sandbox)
            return await asyncio.to_thread(_forecast, proposed, line, market, read, now)

    async def funnel(self, proposed: Proposed, *, by: UUID) -> Outlook | None:
        """Tell by what the pages of the last day are lost; None: nobody may be shown it."""
        now = datetime.now(UTC)
        async with self._turns.turn(by):
            placed = await self._placed(proposed)
            if placed is None:
                return None
            line, sandbox = placed
            market = await self._market(now, sandbox)
            read = await self._pages(now, _FUNNEL_MAX, sandbox)
            return await asyncio.to_thread(_funnel, line, market, read)

    async def _placed(self, proposed: Proposed) -> Placed | None:
        asked = (proposed.creative_ids, proposed.campaign_id)
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(_Placed)) as cursor,
        ):
            placed = await (await cursor.execute(_PLACED, asked)).fetchone()
        line = None if placed is None else _line(proposed, placed)
        if placed is None or line is None:
            return None
        return Placed(line, placed.advertiser_id if placed.sandbox else None)

    async def _market(self, now: datetime, sandbox: UUID | None) -> Market:
        """Return who bids now and may spend, the part of their bids, and the chances in force."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_MULTIPLIERS)).fetchall()
            chances, _ = await in_force(connection)
        multipliers: dict[UUID, float] = dict(rows)
        servable = await servable_lines(self._pool, at=now, sandbox=sandbox)
        lines = [each.line for each in servable]
        bidding = [line for line in lines if line.line_id in multipliers]
        if sandbox is not None:  # what real viewers do is nothing of its, either
            return Market([*bidding, *RIVALS], multipliers)
        return Market(bidding, multipliers, chances=chances)

    async def _pages(self, now: datetime, most: int, sandbox: UUID | None) -> "_Read":
        """Return pages of viewers; of a sandbox, those that were simulated for it."""
        since = now - _DAY
        async with self._pool.connection() as connection:
            own = await connection.execute(_SIMULATED, (sandbox, since, sandbox))
            ids = [
                page_id(simulation_id, number)
                async for simulation_id, done in own
                for number in range(done)
            ]
            asked = (since, ids, sandbox is None)
            counted = await (await connection.execute(_COUNT, asked)).fetchone()
            count = counted[0] if counted else 0
            one_of = max(1, -(-count // most))
            found = await connection.execute(_RECORDED, (*asked, one_of, 2 * most))
            texts = [text for (text,) in await found.fetchall()]
        return _Read(texts, count / len(texts) if texts else 1.0)


class _Placed(msgspec.Struct, frozen=True):
    """What a line item has of its campaign and its advertiser."""

    campaign_id: UUID
    advertiser_id: UUID
    category: str
    zone: str
    currency: str
    sandbox: bool
    campaign_caps: object
    advertiser_caps: object
    starts_at: datetime
    ends_at: datetime | None
    creatives: object


class _Read(NamedTuple):
    """Records of pages, each of which stands for so many recorded ones."""

    texts: Sequence[str]
    weight: float


def _line(proposed: Proposed, placed: _Placed) -> Line | None:
    ends = [each for each in (proposed.ends_at, placed.ends_at) if each is not None]
    row = LineRow(
        line_item_id=proposed.line_item_id,
        campaign_id=placed.campaign_id,
        advertiser_id=placed.advertiser_id,
        kind=proposed.kind,
        bid_micros=proposed.bid_micros,
        category=proposed.category,
        guaranteed=proposed.guaranteed,
        pacing=proposed.pacing,
        daily_budget_micros=proposed.daily_budget_micros,
        lifetime_budget_micros=proposed.lifetime_budget_micros,
        hours=proposed.hours,
        targeting=proposed.targeting,
        suitability=proposed.suitability,
        caps=proposed.caps,
        campaign_caps=placed.campaign_caps,
        advertiser_caps=placed.advertiser_caps,
        zone=placed.zone,
        currency=placed.currency,
        starts_at=max(proposed.starts_at, placed.starts_at),
        ends_at=min(ends, default=None),
        creatives=placed.creatives or [_nominal(proposed)],
        bidder=proposed.bidder,
    )
    servable = servable_of(row)
    return None if servable is None else servable.line


def _nominal(proposed: Proposed) -> dict[str, object]:
    """Return a creative of no video, for a line item that has none yet."""
    return {
        "creative_id": proposed.line_item_id,
        "video_key": "",
        "duration_ms": _NOMINAL_MS,
        "landing_url": "",
        "call_to_action": "",
        "category": proposed.category,
        "cameo_ids": [],
        "ai_label": "",
        "caps": [],
    }


def _forecast(
    proposed: Proposed, line: Line, market: Market, read: _Read, now: datetime
) -> Forecast:
    day = day_ahead(line, round(now.timestamp() * 1000))
    return forecast(
        _decoded(read),
        market,
        line,
        day=day,
        budget_micros=_budget_micros(proposed, line, day),
        is_paced=proposed.pacing != "asap",
        seed=_SEED,
    )


def _funnel(line: Line, market: Market, read: _Read) -> Outlook:
    multiplier = market.multipliers.get(line.line_id, 1.0)
    return Outlook(funnel(_decoded(read), market, line, multiplier), multiplier)


def _decoded(read: _Read) -> Sequence[Recorded]:
    pages = list[Recorded]()
    for text in read.texts:
        try:
            auction = AdRecord.decode(text).auction
        except msgspec.DecodeError as error:
            logger.warning("an auction cannot be read", error=str(error))
            continue
        if auction.context is not None and auction.share > 0:
            weight = read.weight / auction.share
            pages.append(Recorded(auction.at_ms, auction.seed, weight, auction.context))
    return pages


def _budget_micros(proposed: Proposed, line: Line, day: date) -> int:
    """Return what a day may cost; without a daily budget, an even part of the lifetime's."""
    if proposed.daily_budget_micros is not None:
        return proposed.daily_budget_micros
    begins_ms, ends_ms = bounds_ms(day, ZoneInfo(line.zone))
    if line.flight_until_ms > begins_ms + _DAYS_MAX * _DAY_MS:
        return proposed.lifetime_budget_micros
    after = max(0.0, (line.flight_until_ms - ends_ms) / _DAY_MS)
    return daily_slice_micros(proposed.lifetime_budget_micros, 1.0, after)
