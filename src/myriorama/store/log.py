"""The domain log as the write side uses it: get an aggregate, command it, save what happened."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import UUID

import structlog
from eventsourcing.application import project_aggregate
from eventsourcing.domain import BaseAggregate
from eventsourcing.persistence import IntegrityError, MapperDeserialisationError, StoredEvent
from psycopg import Error
from psycopg.rows import TupleRow

from domain.catalogue import Event
from domain.errors import Conflict, DomainError
from myriorama.store.causation import present_cause
from myriorama.store.front import is_inside, pause, rows, settled
from myriorama.store.mapper import JSONMapper, SchemaFromFuture
from myriorama.store.postgres import Pool
from myriorama.store.recorder import CommandRepeated, DomainRecorder
from myriorama.store.remembered import Remembered
from myriorama.store.snapshots import Unfit, decoded, keep_snapshot, shape_of

logger = structlog.get_logger(__name__)

A = TypeVar("A", bound=BaseAggregate[UUID])
P = ParamSpec("P")
R = TypeVar("R")

_ATTEMPTS_MAX = 12
# Who lost waits at random, for longer each time: of many at once each loses to few. After about two
# seconds the client is told to come back.
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.005, 1.0
# An aggregate of so many events is remembered, and kept in a snapshot every so many: to follow
# thousands takes as many.
LONG = 64

_STREAM = """
    SELECT position, topic, state, originator_id, originator_version FROM events
    WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version
"""

_STREAM_UNTIL = """
    SELECT position, topic, state, originator_id, originator_version FROM events
    WHERE originator_id = %s AND position <= %s ORDER BY originator_version
"""

_RECORDED = """
    SELECT originator_id, originator_version, topic FROM events
    WHERE position BETWEEN %s AND %s ORDER BY position
"""

# A log that was set back to a backup has not the event that a snapshot ends with, or has another.
_STREAM_BEHIND_SNAPSHOT = """
    WITH kept AS (
        SELECT s.position, s.state, s.originator_id, s.version FROM snapshots s
        JOIN events e ON e.originator_id = s.originator_id AND e.originator_version = s.version
        WHERE s.originator_id = %(id)s AND s.shape = %(shape)s
          AND (e.position, e.recorded_at) = (s.position, s.recorded_at)
    )
    SELECT position, NULL AS topic, state, originator_id, version FROM kept
    UNION ALL
    SELECT position, topic, state, originator_id, originator_version FROM events
    WHERE originator_id = %(id)s
      AND originator_version > coalesce((SELECT version FROM kept), 0)
    ORDER BY version
"""


class Contended(Conflict):
    """Others changed the same thing again and again; try once more."""

    reset_s = 1


class LostRace(Exception):
    """Another command was first. Read again, decide again: `retried` does."""


class Saved(NamedTuple):
    """Where the last event of a command stands; `position` is None if nothing changed."""

    position: int | None


class Log:
    """The domain log. Safe to share between threads, and between commands of a front.

    Every find is one round trip, of what is not known yet.
    """

    def __init__(self, pool: Pool, *, long: int = LONG) -> None:
        self._pool = pool
        self._long = long
        self._mapper = JSONMapper()
        self._recorder = DomainRecorder(pool)
        self._remembered = Remembered()

    def find(self, kind: type[A], aggregate_id: UUID) -> A | None:
        """Return the aggregate as it is now; None if there is none, or it is of another kind.

        To a command that was applied before, it is as it was then.
        """
        if (applied := present_cause().applied) is not None:
            found = self._read_until(present_cause().position or applied[0] - 1, aggregate_id)
        else:
            found = self._brought_up(aggregate_id) or self._read(kind, aggregate_id)
        return found if isinstance(found, kind) else None

    def save(
        self, *aggregates: BaseAggregate[UUID], expect: Mapping[UUID, int] | None = None
    ) -> Saved:
        """Record what happened to all of the aggregates, or nothing, in one transaction.

        A command that was applied before records nothing, and is told what it was told then.

        Args:
            aggregates: those that were commanded.
            expect: the version at which each other aggregate was read (0: there was none) on
                which the decision rests; the save fails if one has changed since.

        Raises:
            LostRace: one of the aggregates, or of those in `expect`, has changed since.
            CommandRepeated: the present command has been applied before, and came to another end.
        """
        happened = [(each, each.collect_events()) for each in aggregates]
        events = [self._mapper.to_stored_event(event) for _, part in happened for event in part]
        if not events:
            return Saved(None)
        if (applied := present_cause().applied) is not None:
            return self._recorded_before(events, applied)
        positions = self._record(events, expect or {})
        for aggregate, part in happened:
            if part and aggregate.version % self._long < len(part):
                self._keep(aggregate)
        return Saved(positions[-1])

    def close(self) -> None:
        """Record what waits to be recorded, and nothing from now on."""
        self._recorder.close()

    def _record(self, events: Sequence[StoredEvent], expect: Mapping[UUID, int]) -> Sequence[int]:
        try:
            if is_inside():
                return settled(self._recorder.submit(events, expect=expect))
            return self._recorder.insert_events(events, expect=expect) or []
        except IntegrityError as error:
            raise LostRace(str(error)) from error
        except CommandRepeated as repeated:
            present = present_cause()
            if present.key is None or not present.key.is_again:
                raise
            present.applied = repeated.positions
            raise LostRace("The same command was first: decide as it did.") from repeated

    def _recorded_before(self, events: Sequence[StoredEvent], applied: range) -> Saved:
        """Tell where the events stand that the same command recorded, if they are the same."""
        present = present_cause()
        recorded = rows(self._pool, _RECORDED, (applied[0], applied[-1]))
        decided = [(e.originator_id, e.originator_version, e.topic) for e in events]
        if present.position is not None or decided != recorded:
            raise _repeated(applied)
        present.position = applied[-1]
        return Saved(applied[-1])

    def _read_until(self, position: int, aggregate_id: UUID) -> BaseAggregate[UUID] | None:
        none: BaseAggregate[UUID] | None = None
        stored = rows(self._pool, _STREAM_UNTIL, (aggregate_id, position))
        return project_aggregate(none, self._events(stored))

    def _brought_up(self, aggregate_id: UUID) -> BaseAggregate[UUID] | None:
        """Return the aggregate out of what is remembered and what has happened since, or None."""
        known = self._remembered.get(aggregate_id)
        if known is None:
            return None
        # The last that is known comes first: a log that was set back to a backup does not have
        # this event, or has another in its place.
        events = self._events(rows(self._pool, _STREAM, (aggregate_id, known.version - 1)))
        if not events or events[0].timestamp != known.modified_on:
            self._remembered.forget(aggregate_id)
            return None
        found = project_aggregate(known, events[1:])
        if found is not None and len(events) > self._long:
            self._remembered.put(found)
        return found

    def _read(self, kind: type[BaseAggregate[UUID]], id_: UUID) -> BaseAggregate[UUID] | None:
        """Return the aggregate out of its snapshot, if there is one, and the events behind it."""
        stored = rows(self._pool, _STREAM_BEHIND_SNAPSHOT, {"id": id_, "shape": shape_of(kind)})
        if not stored:
            return None
        known: BaseAggregate[UUID] | None = None
        if stored[0][1] is None:
            try:
                known = decoded(kind, stored[0][2])
                del stored[0]
            except Unfit as error:
                logger.warning("snapshot not read", aggregate_id=str(id_), error=str(error))
                stored = rows(self._pool, _STREAM, (id_, 0))
        found = project_aggregate(known, self._events(stored))
        if found is not None and found.version >= self._long:
            self._remembered.put(found)
            if len(stored) >= self._long:
                keep_snapshot(self._pool, found, stored[-1][0])
        return found

    def _keep(self, saved: BaseAggregate[UUID]) -> None:
        """Have a snapshot kept: not of what was commanded here, but of what the log makes of it."""
        try:
            self._read(type(saved), saved.id)
        except (Error, MapperDeserialisationError, SchemaFromFuture) as error:
            logger.warning("no snapshot", aggregate_id=str(saved.id), error=str(error))

    def _events(self, stored: Iterable[TupleRow]) -> list[Event]:
        return [self._mapper.decode(*event) for _, *event in stored]


def retried(command: Callable[P, R]) -> Callable[P, R]:
    """Decide a command anew when another was first, a bounded number of times.

    Raises:
        Contended: every attempt lost its race.
        CommandRepeated: it was applied before, and cannot be decided once more as it was then.
    """

    @wraps(command)
    def decide_again(*args: P.args, **kwargs: P.kwargs) -> R:
        present = present_cause()
        drawn = present.drawn
        for attempt in range(_ATTEMPTS_MAX):
            if attempt:
                pause(_pause_s(attempt))
            present.drawn = drawn  # so that the same IDs are made, whichever attempt succeeds
            try:
                return command(*args, **kwargs)
            except LostRace:
                continue
            except DomainError as error:
                if present.applied is not None and present.position is None:
                    raise _repeated(present.applied) from error
                raise
        raise Contended("Others changed the same thing at the same time; try again.")

    return decide_again


def _pause_s(attempt: int) -> float:
    longest_s = min(_PAUSE_MAX_S, _PAUSE_MIN_S * 2**attempt)
    return random.uniform(0, longest_s)  # noqa: S311 - so that no two beat in time


def _repeated(applied: range) -> CommandRepeated:
    return CommandRepeated(present_cause().command_id or UUID(int=0), applied)
