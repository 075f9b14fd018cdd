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
    to do without.
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

    @classmethod
    def of(cls, decision: Decision, ranking: str) -> "RankedSlate":
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
        rankings_max: int = 500,
    ) -> None:
        """Take where the log is, how many slates are kept, and how they were decided of how many.

        That is some 50 kB a slate, of use only until it can be read from the log.
        """
        self._pool = pool
        self._count_max = count_max
        self._rankings_max = rankings_max
        self._kept: OrderedDict[bytes, RankedSlate] = OrderedDict()
        self._with_ranking: OrderedDict[bytes, None] = OrderedDict()

    def put(self, slate: RankedSlate) -> None:
        """Keep a slate."""
        self._kept[slate.decision_id] = slate
        self._with_ranking[slate.decision_id] = None
        if len(self._kept) > self._count_max:
            self._kept.popitem(last=False)
        if len(self._with_ranking) > self._rankings_max:
            oldest, _ = self._with_ranking.popitem(last=False)
            if (kept := self._kept.get(oldest)) is not None:
                kept.ranking = None

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
            return RankedSlate.of(Decision.decode(row[1]), row[1])
        except msgspec.DecodeError:  # of a release that decided otherwise
            return None
