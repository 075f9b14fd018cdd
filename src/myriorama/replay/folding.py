"""Folding: one window of a log into projections, in the transaction of whoever asks.

The projector, verification and rebuilding all fold here, so that they agree on what is left out.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import psycopg
from psycopg import Connection, Cursor
from psycopg.errors import PipelineAborted, ProgramLimitExceeded
from psycopg.rows import TupleRow

from projections.projection import AnyProjection, Projection, Recorded, SetProjection, Window

WINDOW_MAX = 5000
"""Positions that one transaction folds at most."""

_BURY = """
    INSERT INTO dead_letters (projection, position, error)
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[]) ON CONFLICT DO NOTHING
"""

_ERROR_LENGTH_MAX = 2000

# With these the event has nothing to do: the server is away, or the table is not as it should be.
_BLAMELESS = (
    psycopg.OperationalError,
    psycopg.ProgrammingError,
    psycopg.InterfaceError,
    psycopg.InternalError,
    psycopg.NotSupportedError,
)


class Source(Protocol):
    """A log that can be read by position; `channel` is notified after each append."""

    channel: str

    def read(self, after: int, limit: int, topics: Sequence[str]) -> Window:
        """Return the next window behind `after`."""
        ...

    def head(self) -> int:
        """Return the last position."""
        ...


@runtime_checkable
class Staging(Protocol):
    """A source whose past may have left its tables, and is brought back for one transaction."""

    def stage(self, cursor: Cursor[TupleRow], after: int, upto: int) -> None:
        """Make the tables of the log show the positions (after, upto]."""
        ...


class DeadLetter(NamedTuple):
    """An event that a projection could not take in, and went past."""

    projection: str
    position: int
    error: str


class Share(NamedTuple):
    """How many events of a window were a projection's, and how long they took it."""

    projection: AnyProjection
    events: int
    seconds: float


class Folded(NamedTuple):
    """What became of a window that reaches up to `upto`."""

    upto: int
    dead_letters: Sequence[DeadLetter]


class StandsStill(Exception):
    """A projection cannot go past its position, and no event is to be given up for that.

    A newer release stored what comes next, or the tables are not those that the code expects.
    """

    def __init__(self, projection: str, position: int, reason: str) -> None:
        super().__init__(f"{projection} stands still at {position}: {reason}")
        self.projection = projection
        self.position = position
        self.reason = reason


def fold_next(  # noqa: PLR0913 - what, where, and how far
    connection: Connection[TupleRow],
    source: Source,
    projections: Sequence[AnyProjection],
    after: int,
    *,
    limit: int = WINDOW_MAX,
    upto: int | None = None,
) -> Folded:
    """Fold the next window behind `after` into all the projections, not beyond `upto`.

    What cannot be decoded or folded is told in the answer, and everything else is folded; `bury`
    keeps what was told. At the end of the log the window ends at `after`.

    Raises:
        StandsStill: a projection cannot take in the event right behind `after`.
        psycopg.OperationalError: PostgreSQL is away.
    """
    window = before_newer(look(source, projections, after, limit, upto=upto), projections, after)
    letters = undecodable(window, projections)
    if window.upto > after:
        try:
            with connection.transaction():
                fold(connection, source, projections, after, window)
        except Exception as error:
            if not may_be_an_event(error):
                raise
            for projection in projections:
                letters += fold_carefully(connection, source, projection, after, window)
    return Folded(window.upto, letters)


def look(
    source: Source,
    projections: Sequence[AnyProjection],
    after: int,
    limit: int = WINDOW_MAX,
    *,
    upto: int | None = None,
) -> Window:
    """Return the next window behind `after` with the events that the projections fold in Python."""
    limit = limit if upto is None else max(0, min(limit, upto - after))
    topics = {
        topic
        for projection in projections
        if isinstance(projection, Projection)
        for topic in projection.topics
    }
    if not topics or not limit:
        return Window([], max(after, min(source.head(), after + limit)))
    return _cut(source.read(after, limit, sorted(topics)), after + limit)


def fold(
    connection: Connection[TupleRow],
    source: Source,
    projections: Sequence[AnyProjection],
    after: int,
    window: Window,
) -> Sequence[Share]:
    """Fold a window into all the projections, or fail: then the transaction is to be given up.

    Statements do not wait for one another, so that an error does not tell whose it is.
    """
    with connection.pipeline():
        return fold_singly(connection, source, projections, after, window)


def fold_singly(
    connection: Connection[TupleRow],
    source: Source,
    projections: Sequence[AnyProjection],
    after: int,
    window: Window,
) -> Sequence[Share]:
    """Fold a window into one projection after the other, each statement by itself."""
    return list(_shares(connection, source, projections, after, window))


def fold_carefully(
    connection: Connection[TupleRow],
    source: Source,
    projection: AnyProjection,
    after: int,
    window: Window,
) -> list[DeadLetter]:
    """Fold a window into one projection but for those events, found by halving, that it refuses.

    Raises:
        StandsStill: no event is to blame.
    """
    try:
        if isinstance(projection, SetProjection):
            found = _halved_range(connection, source, projection, after, window.upto)
        else:
            found = _halved(connection, projection, window.events)
        return list(found)
    except psycopg.OperationalError:
        raise
    except _BLAMELESS as error:
        raise StandsStill(projection.name, after + 1, repr(error)) from error


def may_be_an_event(error: Exception) -> bool:
    """Return whether an attempt may have failed because of an event."""
    # An entry of an index has its limit, and the event whose text is longer is to blame.
    return isinstance(error, PipelineAborted | ProgramLimitExceeded) or not isinstance(
        error, psycopg.OperationalError | StandsStill
    )


def undecodable(window: Window, projections: Sequence[AnyProjection]) -> list[DeadLetter]:
    """Return what no release can decode, once for each projection that asks for it."""
    return [
        DeadLetter(projection.name, event.position, event.error)
        for event in window.unreadable
        if not event.newer
        for projection in projections
        if _asks(projection, event.topic)
    ]


def newer(window: Window, projection: AnyProjection) -> int | None:
    """Return the position of the first event for the projection that a newer release stored."""
    positions = (e.position for e in window.unreadable if e.newer and _asks(projection, e.topic))
    return min(positions, default=None)


def before_newer(window: Window, projections: Sequence[AnyProjection], after: int) -> Window:
    """Return the window up to the first event that a newer release stored.

    Raises:
        StandsStill: that is right behind `after`.
    """
    found = [(newer(window, projection), projection) for projection in projections]
    stops = [(position, projection.name) for position, projection in found if position is not None]
    if not stops:
        return window
    position, name = min(stops)
    if position == after + 1:
        reason = next(e.error for e in window.unreadable if e.position == position)
        raise StandsStill(name, position, reason)
    return _cut(window, position - 1)


def bury(connection: Connection[TupleRow], letters: Sequence[DeadLetter]) -> None:
    """Keep what was given up in the table of dead letters; again is harmless."""
    if letters:
        names, positions, errors = zip(*letters, strict=True)
        told = [error.replace("\0", "")[:_ERROR_LENGTH_MAX] for error in errors]
        connection.execute(_BURY, (list(names), list(positions), told))


def _shares(
    connection: Connection[TupleRow],
    source: Source,
    projections: Sequence[AnyProjection],
    after: int,
    window: Window,
) -> Iterator[Share]:
    events = _by_projection(projections, window.events)
    with connection.cursor() as cursor:
        for projection in projections:
            began = time.perf_counter()
            mine = events[projection.name]
            if isinstance(projection, SetProjection):
                _fold_range(source, projection, after, window.upto, cursor)
            elif mine:
                projection.fold(mine, cursor)
            count = window.upto - after if isinstance(projection, SetProjection) else len(mine)
            yield Share(projection, count, time.perf_counter() - began)


def _by_projection(
    projections: Sequence[AnyProjection], events: Sequence[Recorded[Any]]
) -> Mapping[str, Sequence[Recorded[Any]]]:
    if len(projections) == 1:
        return {projections[0].name: events}
    sorted_out = {projection.name: list[Recorded[Any]]() for projection in projections}
    asking: dict[str, list[list[Recorded[Any]]]] = {}
    for projection in projections:
        for topic in projection.topics:
            asking.setdefault(topic, []).append(sorted_out[projection.name])
    for recorded in events:
        for mine in asking.get(recorded.event.TOPIC, ()):
            mine.append(recorded)
    return sorted_out


def _halved(
    connection: Connection[TupleRow], projection: Projection[Any], events: Sequence[Recorded[Any]]
) -> Iterator[DeadLetter]:
    if not events:
        return
    try:
        with connection.transaction(), connection.cursor() as cursor:
            projection.fold(events, cursor)
    except Exception as error:
        if not _blames_the_event(error):
            raise
        if len(events) == 1:
            yield DeadLetter(projection.name, events[0].position, repr(error))
            return
        half = len(events) // 2
        yield from _halved(connection, projection, events[:half])
        yield from _halved(connection, projection, events[half:])


def _halved_range(
    connection: Connection[TupleRow],
    source: Source,
    projection: SetProjection,
    after: int,
    upto: int,
) -> Iterator[DeadLetter]:
    if upto <= after:
        return
    try:
        with connection.transaction(), connection.cursor() as cursor:
            _fold_range(source, projection, after, upto, cursor)
    except Exception as error:
        if not _blames_the_event(error):
            raise
        if upto == after + 1:
            yield DeadLetter(projection.name, upto, repr(error))
            return
        half = (after + upto) // 2
        yield from _halved_range(connection, source, projection, after, half)
        yield from _halved_range(connection, source, projection, half, upto)


def _fold_range(
    source: Source, projection: SetProjection, after: int, upto: int, cursor: Cursor[TupleRow]
) -> None:
    if isinstance(source, Staging):
        try:
            source.stage(cursor, after, upto)
        except psycopg.Error:
            raise
        except Exception as error:  # where the past lies is away, or does not have it
            raise StandsStill(projection.name, after + 1, repr(error)) from error
    projection.fold_range(after, upto, cursor)


def _blames_the_event(error: Exception) -> bool:
    blameless = isinstance(error, (*_BLAMELESS, StandsStill))
    return isinstance(error, ProgramLimitExceeded) or not blameless


def _asks(projection: AnyProjection, topic: str) -> bool:
    return isinstance(projection, Projection) and topic in projection.topics


def _cut(window: Window, upto: int) -> Window:
    if window.upto <= upto:
        return window
    events = [recorded for recorded in window.events if recorded.position <= upto]
    unreadable = [event for event in window.unreadable if event.position <= upto]
    return Window(events, upto, unreadable)
