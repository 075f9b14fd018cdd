"""Outside bids: for a viewer's next page, asked for behind the one that was just answered.

No page waits for anybody outside. What was bid by the time of the next page takes part in it; what
was not, or is broken in whatever way, is as if it had never been asked for.
"""

import asyncio
import random
import time
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from prometheus_client import Counter, Histogram

from ads.asking import Asked, Bidden, House, bidden, is_followed, request_of
from ads.index import Index
from ads.lines import Line
from ads.rules import Rules
from ads.viewer import OutsideBid, Viewer
from myriorama.feed.ad_market import Stall
from myriorama.feed.bidders import AT_ONCE, Bidders
from myriorama.store.identity import new_id

logger = structlog.get_logger(__name__)

LINES_MAX = 8
"""For so many lines bids are asked for behind one page."""

_VIEWERS_MAX = 20_000
_PAUSE_MS = 250

_ASKED = Counter("myriorama_outside_bids", "Bids asked for outside, by what came", ["reason"])
_SECONDS = Histogram(
    "myriorama_outside_bid_seconds",
    "By how long bidders outside took to answer",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.5, 1.0),
)


class _Kept(NamedTuple):
    bidder: str
    is_followed: bool
    bid: OutsideBid
    until_ms: int


class OutsideBids:
    """Keeps the bids for recent viewers. Lives in one event loop."""

    def __init__(self, bidders: Bidders, house: House, *, key: bytes) -> None:
        """Take whom to ask, who asks, and under which key viewers are named to bidders."""
        self._bidders = bidders
        self._house = house
        self._key = key
        self._kept: OrderedDict[bytes, dict[UUID, _Kept]] = OrderedDict()
        self._asked_ms: OrderedDict[bytes, int] = OrderedDict()
        self._asking: set[asyncio.Task[None]] = set()
        self._waiting = Tally[str]()

    def of(
        self, viewer_id: bytes, viewer: Viewer, index: Index, now_ms: int
    ) -> Mapping[UUID, OutsideBid]:
        """Return what is bid for a viewer now, by line: for what they let bidders know by now."""
        bidders = index.outside.bidders
        return {
            line_id: kept.bid
            for line_id, kept in self._kept.get(viewer_id, {}).items()
            if kept.until_ms > now_ms
            and bidders.get(line_id) == kept.bidder
            and kept.is_followed == is_followed(viewer)
        }

    def used(self, viewer_id: bytes, line_ids: Iterable[UUID]) -> None:
        """Forget bids that have won: each is for one showing."""
        kept = self._kept.get(viewer_id)
        if kept is not None:
            for line_id in line_ids:
                kept.pop(line_id, None)

    def ask(
        self, stall: Stall, viewer_id: bytes, viewer: Viewer, rules: Rules, now_ms: int
    ) -> None:
        """Ask for what is bid for the next page of a viewer, beside whatever else goes on."""
        if self._asked_ms.get(viewer_id, 0) > now_ms - _PAUSE_MS:
            return
        if len(self._asking) >= AT_ONCE:
            _ASKED.labels("busy").inc()
            return
        self._asked_ms[viewer_id] = now_ms
        self._asked_ms.move_to_end(viewer_id)
        if len(self._asked_ms) > _VIEWERS_MAX:
            self._asked_ms.popitem(last=False)
        task = asyncio.create_task(self._ask(stall, viewer_id, viewer, rules, now_ms))
        self._asking.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Ask for nothing more."""
        asking = list(self._asking)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._bidders.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("outside bids could not be asked for", exc_info=error)

    async def _ask(
        self, stall: Stall, viewer_id: bytes, viewer: Viewer, rules: Rules, now_ms: int
    ) -> None:
        known = self.of(viewer_id, viewer, stall.index, now_ms)
        rows: list[int] = stall.index.to_ask(viewer, now_ms, rules.adult_categories).tolist()
        lines = [stall.index.lines[row] for row in rows]
        lines = [line for line in lines if line.line_id not in known]
        if len(lines) > LINES_MAX:
            lines = random.sample(lines, LINES_MAX)
        async with asyncio.TaskGroup() as group:
            for line in lines:
                creative = stall.creatives.get(line.creatives[0].creative_id)
                if creative is not None:
                    asked = Asked(new_id().hex, line, creative.currency, rules.reserve_cpm_micros)
                    group.create_task(self._ask_one(asked, viewer_id, viewer))

    async def _ask_one(self, asked: Asked, viewer_id: bytes, viewer: Viewer) -> None:
        host = urlsplit(asked.line.bidder).netloc
        if self._waiting[host] >= AT_ONCE // 4:
            # Whoever is slow takes the places of nobody else.
            _ASKED.labels("busy").inc()
            return
        self._waiting[host] += 1
        try:
            await self._answered(asked, viewer_id, viewer)
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host]

    async def _answered(self, asked: Asked, viewer_id: bytes, viewer: Viewer) -> None:
        line, bidders = asked.line, self._bidders
        body = request_of(
            asked,
            viewer,
            self._house,
            user_id=self._pseudonym(line, viewer_id),
            tmax_ms=bidders.tmax_ms,
        )
        began_s = time.monotonic()
        answer = await bidders.ask(line.bidder, body)
        if isinstance(answer, str):
            _ASKED.labels(answer).inc()
            return
        _SECONDS.observe(time.monotonic() - began_s)
        found = bidden(answer, asked) if answer else "no_bid"
        if found == "malformed":
            bidders.failed(line.bidder)
        else:
            bidders.answered(line.bidder)
        if isinstance(found, Bidden):
            self._keep(viewer_id, viewer, line, found)
        _ASKED.labels("bid" if isinstance(found, Bidden) else found).inc()

    def _keep(self, viewer_id: bytes, viewer: Viewer, line: Line, found: Bidden) -> None:
        until_ms = time.time_ns() // 1_000_000 + 1000 * found.kept_s
        kept = self._kept.setdefault(viewer_id, {})
        kept.pop(line.line_id, None)
        kept[line.line_id] = _Kept(line.bidder, is_followed(viewer), found.bid, until_ms)
        while len(kept) > 2 * LINES_MAX:
            del kept[next(iter(kept))]
        self._kept.move_to_end(viewer_id)
        if len(self._kept) > _VIEWERS_MAX:
            self._kept.popitem(last=False)

    def _pseudonym(self, line: Line, viewer_id: bytes) -> str:
        """Return how a bidder knows a viewer: no other bidder knows them by it."""
        bidder = blake2b(line.bidder.encode(), digest_size=32).digest()
        return blake2b(bidder + viewer_id, key=self._key, digest_size=16).hexdigest()
