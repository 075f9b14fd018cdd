"""The fair queue as one API process knows it, for all who ask where their generations stand.

It is looked at for all of them at once, of what the read side has of events, and at most once a
second: that a thousand ask costs no more than that one does.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import msgspec

from domain.generation.fair_queue import Rules
from domain.generation.states import LIVE as LIVE_STATES
from myriorama.api.queue_places import Moment, QueuePlace, places
from myriorama.api.reads import Reads
from myriorama.store.queue_rows import LIVE, RELEASED, KnownQueue, LiveRow, ReleasedRow, waiting

# How long renders took, by what they were estimated to cost.
PACES = """
    SELECT work_class, (
        sum(extract(epoch FROM completed_at - started_at)) * 1000 / greatest(sum(cost_ms), 1)
    )::float8 AS pace
    FROM queue_entries WHERE completed_at > %s AND started_at IS NOT NULL
    GROUP BY work_class
"""

WORKERS = """
    SELECT count(DISTINCT worker) AS workers,
           (SELECT exhausted_on FROM gpu_budgets WHERE exhausted_on IS NOT NULL) AS exhausted_on
    FROM queue_entries WHERE state = 'running' OR completed_at > %s
"""

_FRESH_S = 1.0
_PACE_OVER = timedelta(hours=1)
_WORKER_SEEN = timedelta(minutes=2)
_NOBODY = UUID(int=0)


class Pace(msgspec.Struct, frozen=True):
    """How many times its estimate a render of a class took."""

    work_class: str
    pace: float


class Powers(msgspec.Struct, frozen=True):
    """How many workers there seem to be, and the day whose GPU budget is spent, while it is."""

    workers: int
    exhausted_on: str | None


class QueueStanding:
    """Tells where generations stand. Lives in one event loop."""

    def __init__(self, reads: Reads, rules: Rules) -> None:
        self._reads = reads
        self._rules = rules
        self._known = KnownQueue(rules)
        self._looking = asyncio.Lock()
        self._looked_s = float("-inf")
        self._rows: Mapping[UUID, str] = {}
        self._places: Mapping[UUID, QueuePlace] = {}

    async def of(self, states: Mapping[UUID, str]) -> Mapping[UUID, QueuePlace]:
        """Return where those stand that are live; `states` is what was read of them just now.

        What is told is at most a second old, and never older than those states.
        """
        live = {id_: state for id_, state in states.items() if state in LIVE_STATES}
        if not live:
            return {}
        asked_s = monotonic()
        await self._look(asked_s - _FRESH_S)
        if any(self._rows.get(id_) != state for id_, state in live.items()):
            await self._look(asked_s)
        return {id_: self._places[id_] for id_ in live if id_ in self._places}

    async def expected(self, account_id: UUID, work_class: str, cost_ms: int) -> QueuePlace:
        """Return where one would stand that is asked for now."""
        now = datetime.now(UTC)
        kind = (_NOBODY, account_id, work_class, cost_ms, "queued", 0, now)
        asked = LiveRow(*kind, dispatched_at=None, started_at=None, worker=None)
        async with self._looking:
            moment = await self._moment(asked)
        return (await asyncio.to_thread(places, moment))[asked.generation_id]

    async def _look(self, since_s: float) -> None:
        """Look at the queue, unless that was done since then."""
        if self._looked_s >= since_s:
            return
        async with self._looking:
            if self._looked_s >= since_s:
                return
            begun_s = monotonic()
            moment = await self._moment()
            self._places = await asyncio.to_thread(places, moment)
            self._rows = {row.generation_id: row.state for row in moment.rows}
            self._looked_s = begun_s

    async def _moment(self, *joining: LiveRow) -> Moment:
        """Return what is so now, and would be with those who join."""
        now = datetime.now(UTC)
        rows = [*await self._reads.many(LiveRow, LIVE), *joining]
        released = await self._reads.many(ReleasedRow, RELEASED, self._known.unseen(now))
        paces = await self._reads.many(Pace, PACES, (now - _PACE_OVER,))
        powers = await self._reads.one(Powers, WORKERS, (now - _WORKER_SEEN,))
        self._known.take(released, now=now)
        turns = await asyncio.to_thread(
            self._known.fair.turns, waiting(rows), now_s=now.timestamp()
        )
        return Moment(
            rows=rows,
            turns=turns,
            paces={each.work_class: each.pace for each in paces},
            workers=powers.workers if powers else 0,
            exhausted_on=powers.exhausted_on if powers else None,
            rules=self._rules,
            now=now,
        )
