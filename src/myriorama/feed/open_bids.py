"""Open bids: what was bid elsewhere for a viewer and may be won yet, and what has been won.

Both count for frequency caps: what was seen counts, and what may yet be. Bids are in the memory of
the process that made them; wins are read.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.record import Shown

OPEN_S = 120
"""So long a bid may be won, and counts for frequency caps if it is not."""

# As in feed/told_viewers.py: what was seen counts, and what may yet be.
_WON = """
    SELECT ad_decision_id, line_id, campaign_id, advertiser_id, creative_id, decided_ms
    FROM exchange_wins w
    WHERE viewer_id = %(viewer_id)s AND decided_ms > %(now_ms)s - 90 * 86400000::bigint
      AND (expires_ms + 10000 > %(now_ms)s
           OR EXISTS (SELECT FROM charges c WHERE c.decision_id = w.ad_decision_id
                                              AND c.beacon = 1 AND c.mark IS NULL))
    ORDER BY decided_ms DESC LIMIT 10000
"""

_VIEWERS_MAX = 50_000


class OpenBid(NamedTuple):
    """A bid that may be won yet, or has been: what it counts for, by the numbers of the IDs."""

    ad_decision_id: UUID
    counts_for: tuple[int, ...]
    decided_ms: int


class OpenBids:
    """Remembers bids for one process. Lives in one event loop."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool
        self._open: OrderedDict[UUID, list[OpenBid]] = OrderedDict()

    async def won(self, viewer_id: UUID, now_ms: int) -> Sequence[OpenBid]:
        """Read what was won for a viewer, by whichever process.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there.
            psycopg_pool.PoolTimeout: no connection came free.
        """
        asked = {"viewer_id": viewer_id, "now_ms": now_ms}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_WON, asked)).fetchall()
        return [OpenBid(row[0], tuple(each.int for each in row[1:5]), row[5]) for row in rows]

    def shown_ms(
        self, viewer_id: UUID, won: Sequence[OpenBid], now_ms: int
    ) -> Mapping[int, tuple[int, ...]]:
        """Return when ads were shown to a viewer, and when those were bid that may yet be."""
        alive = [
            each
            for each in self._open.get(viewer_id, ())
            if each.decided_ms > now_ms - OPEN_S * 1000
        ]
        if alive:
            self._open[viewer_id] = alive
        else:
            self._open.pop(viewer_id, None)
        times: dict[int, list[int]] = {}
        for each in {each.ad_decision_id: each for each in (*won, *alive)}.values():
            for of in each.counts_for:
                times.setdefault(of, []).append(each.decided_ms)
        return {of: tuple(sorted(found)) for of, found in times.items()}

    def remember(self, viewer_id: UUID, shown: Shown, now_ms: int) -> None:
        """Count a bid that was made for a viewer."""
        bid = OpenBid(shown.ad_decision_id, shown.counts_for, now_ms)
        self._open.setdefault(viewer_id, []).append(bid)
        self._open.move_to_end(viewer_id)
        if len(self._open) > _VIEWERS_MAX:
            self._open.popitem(last=False)
