"""The market of this process: what may be advertised now, as the read side, pacing and chances say.

It is made anew beside the one in use, and swapped whole: within a second of an edit, a pause, or a
cameo's owner taking back a grant. A decision reads it without waiting for anything.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import msgspec
import psycopg
import structlog
from prometheus_client import Gauge
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ads.holds import Holds
from ads.index import Index
from ads.lines import Line
from ads.probability import Probabilities
from ads.warming import warm_up
from myriorama.feed.ad_chances import in_force
from myriorama.feed.ad_lines import READ_FROM, servable_lines
from myriorama.store.projected import Projected

logger = structlog.get_logger(__name__)

_POSITION = "SELECT coalesce(max(position), 0) FROM projection_positions WHERE name = ANY(%s)"

# A grant that ends takes its ads with it, and nothing is projected at that moment.
_NEXT_END = "SELECT min(expires_at) FROM commercial_grants WHERE expires_at > %s"

_PACING = "SELECT line_id, multiplier, published FROM ad_pacing"

_VERSIONS = """
    SELECT (SELECT max(published) FROM ad_pacing), (SELECT max(published) FROM ad_chances)
"""

_SHOWN = """
    SELECT c.creative_id, c.advertiser_id, a.name, a.website, c.headline, c.width, c.height,
           c.duration_ms, c.video_key, c.poster_key, c.thumbnail_key, c.landing_url,
           c.call_to_action, c.ai_label, c.category, a.currency
    FROM creatives c JOIN advertisers a USING (advertiser_id) WHERE c.creative_id = ANY(%s)
"""

_POLL_S = 1.0
_PATIENCE_S = 0.25
_LINES_AT_ONCE = 50

_LINES = Gauge("myriorama_ad_lines", "Lines that may be shown now", multiprocess_mode="max")


class Terms(Protocol):
    """What a lease is granted on: the day that it charges, and how long its tokens are believed."""

    @property
    def day(self) -> int:
        """Return the ordinal of the advertiser's date."""
        ...

    @property
    def tokens_until_ms(self) -> int:
        """Return when the last token is believed no more."""
        ...


class Money(Protocol):
    """What this process holds of budgets."""

    def of(self, line_ids: Sequence[UUID]) -> Holds:
        """Return the holds of these lines, by the rows of one index."""
        ...

    def terms(self, lease_id: int) -> Terms:
        """Return the terms of a lease that a hold has named."""
        ...


class ShownCreative(msgspec.Struct, frozen=True):
    """What is shown of a creative, and of who advertises with it."""

    creative_id: UUID
    advertiser_id: UUID
    name: str
    website: str
    headline: str
    width: int
    height: int
    duration_ms: int
    video_key: str
    poster_key: str
    thumbnail_key: str
    landing_url: str
    call_to_action: str
    ai_label: str
    category: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Stall:
    """What a decision is made from: the index, the money by its rows, what its ads look like."""

    index: Index
    holds: Holds
    creatives: Mapping[UUID, ShownCreative]


@dataclass(frozen=True, slots=True)
class _Read:
    """What the read side had at a position; `until` is when it is over by itself."""

    lines: Sequence[Line]
    creatives: Mapping[UUID, ShownCreative]
    position: int
    until: datetime | None


class AdMarket:
    """Keeps the market as it is now. Lives in one event loop; `run` is a task."""

    def __init__(
        self, url: str, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], money: Money
    ) -> None:
        self._url = url
        self._pool = pool
        self._money = money
        self._stall: Stall | None = None
        self._read: _Read | None = None
        self._is_stale = asyncio.Event()
        self._lines_moved = True
        self._is_warm = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def stall(self) -> Stall | None:
        """What may be advertised now; None if that is nothing."""
        return self._stall

    def follow(self, projected: Projected) -> None:
        """Keep the market as the projections are."""
        projected.refresh(READ_FROM, self.refresh)
        projected.reload(READ_FROM, self.refresh)

    async def refresh(self) -> None:
        """Have the lines read anew.

        Waits until that is done, unless it takes long: then nobody else is to wait for it, and it
        is done beside.
        """
        self._lines_moved = True
        self._is_stale.set()
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        await asyncio.wait([done], timeout=_PATIENCE_S)

    async def run(self) -> None:
        """Make the market anew whenever something has moved, until cancelled."""
        listening = asyncio.create_task(self._listen())
        self._is_stale.set()
        try:
            while True:
                await self._next()
                await self._made()
        finally:
            listening.cancel()

    async def _next(self) -> None:
        """Wait until the market is stale: somebody said so, or its time has come."""
        until = self._read.until if self._read is not None else None
        left_s = None if until is None else max(0.0, (until - datetime.now(UTC)).total_seconds())
        try:
            await asyncio.wait_for(self._is_stale.wait(), left_s)
        except TimeoutError:
            self._lines_moved = True
        self._is_stale.clear()

    async def _made(self) -> None:
        waiting, self._waiting = self._waiting, []
        began_s = time.monotonic()
        try:
            await self._renew()
        except (psycopg.OperationalError, PoolTimeout) as error:
            logger.warning("the ad market waits for PostgreSQL", error=str(error))
            await self._again()
        except Exception:
            # What cannot be read is not shown: it might be what somebody has just taken back.
            self._stall = None
            logger.exception("the ad market cannot be made")
            await self._again()
        for done in waiting:
            if not done.done():
                done.set_result(None)
        # Whoever edits all day leaves the process half of its time.
        await asyncio.sleep(min(_POLL_S / 4, time.monotonic() - began_s))

    async def _again(self) -> None:
        self._lines_moved = True
        self._is_stale.set()
        await asyncio.sleep(_POLL_S)

    async def _renew(self) -> None:
        read = self._read
        if self._lines_moved or read is None:
            self._lines_moved = False
            read = self._read = await self._read_lines()
        if not self._is_warm and read.lines:
            # What is compiled would otherwise be for the first page to wait for.
            await asyncio.to_thread(warm_up)
            self._is_warm = True
        multipliers, paced = await self._read_pacing()
        async with self._pool.connection() as connection:
            chances, learnt = await in_force(connection)
        _LINES.set(len(read.lines))
        if not read.lines:
            self._stall = None
            return
        version = read.position + paced + learnt
        if len(read.lines) < _LINES_AT_ONCE:
            index = _index(read.lines, multipliers, version, chances)
        else:
            index = await asyncio.to_thread(_index, read.lines, multipliers, version, chances)
        holds = self._money.of([line.line_id for line in index.lines])
        self._stall = Stall(index, holds, read.creatives)

    async def _read_lines(self) -> _Read:
        now = datetime.now(UTC)
        async with self._pool.connection() as connection:
            # Asked first: the lines are those of this position, or somewhat newer.
            position = await (await connection.execute(_POSITION, (list(READ_FROM),))).fetchone()
            until = await (await connection.execute(_NEXT_END, (now,))).fetchone()
        lines = [servable.line for servable in await servable_lines(self._pool, at=now)]
        ids = [creative.creative_id for line in lines for creative in line.creatives]
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(ShownCreative)) as cursor,
        ):
            rows = await (await cursor.execute(_SHOWN, (ids,))).fetchall()
        return _Read(
            lines,
            {row.creative_id: row for row in rows},
            position[0] if position else 0,
            until[0] if until else None,
        )

    async def _read_pacing(self) -> tuple[Mapping[UUID, float], int]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_PACING)).fetchall()
        multipliers = {line_id: multiplier for line_id, multiplier, _ in rows}
        return multipliers, max((published for *_, published in rows), default=0)

    async def _listen(self) -> None:
        """Hear of pacing and chances; a notification is a hint, a look each second a guarantee."""
        while True:
            try:
                await self._hear()
            except psycopg.OperationalError as error:
                logger.warning("ad pacing waits for PostgreSQL", error=str(error))
            except Exception:
                logger.exception("ad pacing could not be followed")
            await asyncio.sleep(_POLL_S)

    async def _hear(self) -> None:
        known = None
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute("LISTEN ad_pacing")
            await connection.execute("LISTEN ad_chances")
            while True:
                row = await (await connection.execute(_VERSIONS)).fetchone()
                if row != known:
                    known = row
                    self._is_stale.set()
                async for _ in connection.notifies(timeout=_POLL_S, stop_after=1):
                    pass


def _index(
    lines: Sequence[Line],
    multipliers: Mapping[UUID, float],
    version: int,
    chances: Probabilities,
) -> Index:
    return Index.of(lines, multipliers, version, chances)
