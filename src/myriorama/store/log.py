"""The domain log as the write side uses it: get an aggregate, command it, save what happened."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import UUID

from eventsourcing.application import project_aggregate
from eventsourcing.domain import BaseAggregate
from eventsourcing.persistence import IntegrityError

from domain.catalogue import Event
from domain.errors import Conflict
from myriorama.store.front import aside, rows
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from myriorama.store.remembered import Remembered

A = TypeVar("A", bound=BaseAggregate[UUID])
P = ParamSpec("P")
R = TypeVar("R")

_ATTEMPTS_MAX = 8
# An aggregate of so many events is remembered: to follow thousands takes as many.
_LONG = 64

_STREAM = """
    SELECT topic, state, originator_id, originator_version FROM events
    WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version
"""


class Contended(Conflict):
    """Others changed the same thing again and again; try once more."""


class LostRace(Exception):
    """Another command was first. Read again, decide again: `retried` does."""


class Saved(NamedTuple):
    """Where the last event of a command stands; `position` is None if nothing changed."""

    position: int | None


class Log:
    """The domain log. Safe to share between threads."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._mapper = JSONMapper()
        self._recorder = DomainRecorder(pool)
        self._remembered = Remembered()

    def find(self, kind: type[A], aggregate_id: UUID) -> A | None:
        """Return the aggregate as it is now; None if there is none, or it is of another kind."""
        found = self._brought_up(aggregate_id) or self._replayed(aggregate_id)
        return found if isinstance(found, kind) else None

    def save(
        self, *aggregates: BaseAggregate[UUID], expect: Mapping[UUID, int] | None = None
    ) -> Saved:
        """Record what happened to all of the aggregates, or nothing, in one transaction.

        Args:
            aggregates: those that were commanded.
            expect: the version at which each other aggregate was read (0: there was none) on
                which the decision rests; the save fails if one has changed since.

        Raises:
            LostRace: one of the aggregates, or of those in `expect`, has changed since.
            CommandRepeated: the present command has been applied before.
        """
        events = [
            self._mapper.to_stored_event(event)
            for aggregate in aggregates
            for event in aggregate.collect_events()
        ]
        if not events:
            return Saved(None)
        try:
            positions = aside(self._recorder.insert_events, events, expect=expect or {})
        except IntegrityError as error:
            raise LostRace(str(error)) from error
        return Saved(positions[-1] if positions else None)

    def _brought_up(self, aggregate_id: UUID) -> BaseAggregate[UUID] | None:
        """Return the aggregate out of what is remembered and what has happened since, or None."""
        known = self._remembered.get(aggregate_id)
        if known is None:
            return None
        # The last that is known comes first: a log that was set back to a backup does not have
        # this event, or has another in its place.
        events = self._stream(aggregate_id, known.version - 1)
        if not events or events[0].timestamp != known.modified_on:
            self._remembered.forget(aggregate_id)
            return None
        found = project_aggregate(known, events[1:])
        if found is not None and len(events) > _LONG:
            self._remembered.put(found)
        return found

    def _replayed(self, aggregate_id: UUID) -> BaseAggregate[UUID] | None:
        none: BaseAggregate[UUID] | None = None
        found = project_aggregate(none, self._stream(aggregate_id, 0))
        if found is not None and found.version >= _LONG:
            self._remembered.put(found)
        return found

    def _stream(self, aggregate_id: UUID, after: int) -> list[Event]:
        stored = rows(self._pool, _STREAM, (aggregate_id, after))
        return [self._mapper.decode(*event) for event in stored]


def retried(command: Callable[P, R]) -> Callable[P, R]:
    """Decide a command anew when another was first, a bounded number of times.

    Raises:
        Contended: every attempt lost its race.
    """

    @wraps(command)
    def decide_again(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_ATTEMPTS_MAX):
            try:
                return command(*args, **kwargs)
            except LostRace:
                continue
        raise Contended("Others changed the same thing at the same time; try again.")

    return decide_again
