"""Slates: what a ranking has decided for a viewer, read in pages; in memory, and from the log."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ranking.decision import Decision

_LOGGED = """
    SELECT uuid_send(viewer_id), ranking::text FROM slates
    WHERE decision_id = %s AND ranking IS NOT NULL LIMIT 1
"""


@dataclass(slots=True)
class RankedSlate:
    """Videos in the order in which they are shown; `rules` say why a warning stands before one.

    `is_full`: there were as many as were asked for, so there may be more behind them. `following`
    is the slate that was decided when this one was read up to there; `steering` is what the viewer
    had said about their feed, None if that is not known here; `degraded` says what the ranking had
    to do without. `ranking` is how it was decided, until that is logged.
    """

    decision_id: bytes
    viewer_id: bytes
    kind: str
    video_ids: list[bytes]
    rules: list[str | None]
    is_full: bool
    ranking: str | None
    following: dict[int, bytes] = field(default_factory=dict[int, bytes])
    steering: Hashable = None
    degraded: str | None = None

    @property
    def decided_ms(self) -> int:
        """When it was decided, as its ID tells."""
        return int.from_bytes(self.decision_id[:6])

    @classmethod
    def of(cls, decision: Decision, ranking: str | None) -> "RankedSlate":
        """Return the slate that a decision made."""
        return cls(
            decision.decision.bytes,
            decision.viewer.bytes,
            decision.kind,
            [placed.video.bytes for placed in decision.order],
            [placed.rule for placed in decision.order],
            len(decision.order) >= decision.size,
            ranking,
        )


class Slates:
    """Keeps the slates that were read last. Lives in one event loop."""

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        *,
        count_max: int = 5_000,
        untold_max: int = 500,
    ) -> None:
        """Take where the log is, and how many slates are kept; of how many nothing was read yet.

        Until something is read of a slate, how it was decided is kept for the log: some 50 kB.
        """
        self._pool = pool
        self._count_max = count_max
        self._untold_max = untold_max
        self._kept: OrderedDict[bytes, RankedSlate] = OrderedDict()
        self._untold: OrderedDict[bytes, None] = OrderedDict()

    def put(self, slate: RankedSlate) -> None:
        """Keep a slate."""
        self._kept[slate.decision_id] = slate
        if slate.ranking is not None:
            self._untold[slate.decision_id] = None
        if len(self._kept) > self._count_max:
            self._untold.pop(self._kept.popitem(last=False)[0], None)
        if len(self._untold) > self._untold_max:
            self._kept.pop(self._untold.popitem(last=False)[0], None)

    def untold(self, decision_id: bytes) -> str | None:
        """Return how a slate was decided, once: to log it with the first page that is read."""
        if decision_id not in self._untold:
            return None
        del self._untold[decision_id]
        slate = self._kept[decision_id]
        ranking, slate.ranking = slate.ranking, None
        return ranking

    def kept(self, decision_id: bytes) -> RankedSlate | None:
        """Return a slate if it is in memory."""
        slate = self._kept.get(decision_id)
        if slate is not None:
            self._kept.move_to_end(decision_id)
        return slate

    async def of(self, decision_id: bytes, viewer_id: bytes) -> RankedSlate | None:
        """Return a slate of a viewer's, from the log if need be; None if nobody knows it (yet)."""
        slate = self.kept(decision_id)
        if slate is None:
            slate = await self._logged(decision_id)
            if slate is not None:
                self.put(slate)
        return slate if slate is not None and slate.viewer_id == viewer_id else None

    async def _logged(self, decision_id: bytes) -> RankedSlate | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_LOGGED, (UUID(bytes=decision_id),))
            row = await cursor.fetchone()
        if row is None:
            return None
        try:
            return RankedSlate.of(Decision.decode(row[1]), None)
        except msgspec.DecodeError:  # of a release that decided otherwise
            return None
