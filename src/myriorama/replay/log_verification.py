"""Whether the logs are whole: nothing missing, nothing double, everything readable, all in order.

Read in one snapshot and page by page, so that it runs beside a house that serves, on any length.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import LiteralString, NamedTuple

import psycopg
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.store.mapper import JSONMapper, SchemaFromFuture
from myriorama.store.view_exports import dropped_upto
from projections.projection import Followed

_PAGE = 5_000
_REPORT_EVERY = 500_000

_EVENTS = """
    SELECT position, originator_id, originator_version, topic, state FROM events ORDER BY position
"""

# By the index that is there anyway: the server looks at one row after another.
_STREAM_BROKEN = """
    SELECT originator_id, originator_version, position FROM (
        SELECT originator_id, originator_version, position,
               lag(originator_version, 1, 0::bigint) OVER stream AS version_before,
               lag(position, 1, 0::bigint) OVER stream AS position_before
        FROM events WINDOW stream AS (PARTITION BY originator_id ORDER BY originator_version)
    ) AS versions
    WHERE originator_version <> version_before + 1 OR position <= position_before
    LIMIT 1
"""

_COMMAND_ASTRAY = """
    SELECT command_id, first_position, last_position FROM commands
    WHERE last_position < first_position
       OR NOT EXISTS (SELECT FROM events WHERE position = first_position)
       OR NOT EXISTS (SELECT FROM events WHERE position = last_position)
    LIMIT 1
"""

_COMMANDS_OVERLAP = """
    SELECT command_id, first_position, upto FROM (
        SELECT command_id, first_position, max(last_position) OVER (
            ORDER BY first_position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS upto
        FROM commands
    ) AS places
    WHERE first_position <= upto LIMIT 1
"""

_VIEWS = """
    SELECT position, recorded_at FROM viewings
    UNION ALL SELECT position, recorded_at FROM slates
    ORDER BY position
"""

# As long as this lasts, no day can be dropped.
_HOLD = "LOCK TABLE ONLY viewings, ONLY slates IN ACCESS SHARE MODE"

_VIEWS_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"

# A day leaves as a whole, and the first to leave is the oldest.
_EXPORTED = "SELECT coalesce(sum(row_count), 0) FROM exported_days WHERE dropped_at IS NOT NULL"

# Batches are forgotten after some days, and views leave after more.
_BATCH_UNTRUE = """
    SELECT viewer_id, session_id, sequence, told.accepted, coalesce(stored.views, 0)
    FROM (
        SELECT * FROM viewing_batches WHERE recorded_at >= (SELECT min(first) FROM view_days())
    ) AS told
    FULL JOIN (
        SELECT viewer_id, session_id, sequence, count(*) AS views FROM viewings
        WHERE recorded_at >= (SELECT min(recorded_at) FROM viewing_batches)
        GROUP BY viewer_id, session_id, sequence
    ) AS stored USING (viewer_id, session_id, sequence)
    WHERE told.accepted IS DISTINCT FROM stored.views AND coalesce(told.accepted, 1) > 0
    LIMIT 1
"""

_DEAD_LETTER = """
    SELECT projection, position, error, count(*) OVER () FROM dead_letters
    ORDER BY projection, position LIMIT 1
"""

_POSITIONS = "SELECT name, position FROM projection_positions ORDER BY name"


class LogBroken(Exception):
    """What the logs promise does not hold; the message says what, and where it shows first."""


@dataclass(frozen=True)
class Sound:
    """This was looked at and found whole; `count` so far, where it is counted."""

    log: str
    what: str
    count: int | None = None

    def __str__(self) -> str:
        counted = "" if self.count is None else f"{self.count} "
        return f"{self.log}: {counted}{self.what}, sound"


class _Search(NamedTuple):
    """A query that finds a row only where something is broken, and the words for that row."""

    log: str
    what: str
    query: LiteralString
    broken: str


_SEARCHES = (
    _Search("domain", "streams", _STREAM_BROKEN, "version {1} of {0}, at {2}, follows no other"),
    _Search("domain", "commands", _COMMAND_ASTRAY, "command {0} points at {1} to {2}, not events"),
    _Search(
        "domain",
        "commands",
        _COMMANDS_OVERLAP,
        "command {0} at {1} overlaps one up to {2}",
    ),
    _Search("views", "batches", _BATCH_UNTRUE, "{0} {1} {2} accepted {3}, and {4} are stored"),
    _Search("both", "dead letters", _DEAD_LETTER, "{0} could not fold {1} ({2}); {3} in all"),
)


def verify_logs(url: str, projections: Sequence[Followed]) -> Iterator[Sound]:
    """Verify both logs as they are now, and that nothing claims to be ahead of them.

    Yields what is sound, as it goes.

    Raises:
        LogBroken: at the first violation.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(_HOLD)  # before the snapshot, which is taken by the first query
        heads: dict[str, int] = {}
        for sound in chain(_events(connection), _views(connection)):
            heads[sound.log] = sound.count or 0
            yield sound
        for search in _SEARCHES:
            row = connection.execute(search.query).fetchone()
            if row:
                raise LogBroken(f"{search.what}: {search.broken.format(*row)}")
            yield Sound(search.log, search.what)
        _require_behind(connection, heads, {p.name: p.log for p in projections})
        yield Sound("both", "positions of projections")


def _events(connection: Connection[TupleRow]) -> Iterator[Sound]:
    mapper, head = JSONMapper(), 0
    for position, *stored in _rows(connection, _EVENTS):
        _require_next(position, head, "domain")
        head = position
        try:
            mapper.to_domain_event(StoredEvent(*stored))
        except (MapperDeserialisationError, SchemaFromFuture) as error:
            raise LogBroken(f"events: {position} cannot be read: {error}") from None
        if head % _REPORT_EVERY == 0:
            yield Sound("domain", "events so far", head)
    yield Sound("domain", "events", head)


def _views(connection: Connection[TupleRow]) -> Iterator[Sound]:
    floor = dropped_upto(connection)
    exported = _number(connection, _EXPORTED)
    if exported != floor:
        raise LogBroken(f"views: {exported} rows were exported up to position {floor}")
    yield Sound("views", "exported", floor)
    head, latest = floor, None
    for position, recorded_at in _rows(connection, _VIEWS):
        _require_next(position, head, "views")
        if latest is not None and recorded_at < latest:
            raise LogBroken(f"views: {position} was recorded at {recorded_at}, before {latest}")
        head, latest = position, recorded_at
        if head % _REPORT_EVERY == 0:
            yield Sound("views", "views and slates so far", head)
    told = _number(connection, _VIEWS_HEAD)
    if told != head:
        raise LogBroken(f"views: appends have come to {told}, but the last position is {head}")
    yield Sound("views", "views and slates", head)


def _require_next(position: int, head: int, log: str) -> None:
    if position != head + 1:
        raise LogBroken(f"{log}: position {head + 1} is missing before {position}")


def _require_behind(
    connection: Connection[TupleRow], heads: Mapping[str, int], logs: Mapping[str, str]
) -> None:
    """Projections of another release, which `logs` does not know, are not looked at."""
    for name, position in connection.execute(_POSITIONS):
        if name in logs and position > heads[logs[name]]:
            raise LogBroken(
                f"positions: {name} stands at {position}, beyond the head {heads[logs[name]]}"
            )


def _number(connection: Connection[TupleRow], query: LiteralString) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _rows(connection: Connection[TupleRow], query: LiteralString) -> Iterator[TupleRow]:
    """Yield the rows page by page, however many there are."""
    with connection.cursor(name="verification") as cursor:
        cursor.itersize = _PAGE
        yield from cursor.execute(query)
