"""The domain log as those read it who follow it by position."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from eventsourcing.persistence import MapperDeserialisationError
from psycopg.rows import TupleRow

from domain.catalogue import READABLE, Event, stored_under
from myriorama.store.mapper import JSONMapper, SchemaFromFuture
from myriorama.store.postgres import Pool
from projections.projection import Recorded, Unreadable, Window

# One statement is one snapshot: what is behind the window's end cannot belong into it. Positions
# have no holes, so that a stretch of the primary key is a window, whatever is in it. The row
# without a topic tells where the window ends.
_READ = """
    SELECT position, recorded_at, originator_id, originator_version, topic, state FROM events
    WHERE position > %(after)s AND position <= %(upto)s AND topic = ANY(%(topics)s::text[])
    UNION ALL
    SELECT least(coalesce(max(position), 0), %(upto)s), NULL, NULL, NULL, NULL, NULL FROM events
    ORDER BY position
"""

_TOPIC = 4

_UNREADABLE = (MapperDeserialisationError, SchemaFromFuture)

# What a named tuple's constructor ends in; the way there would take a fifth of all reading.
_tuple: Callable[[Any, Any], Any] = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

_HEAD = "SELECT coalesce(max(position), 0) FROM events"


class EventSource:
    """Reads the domain log. Safe to share between threads."""

    channel = "events"

    def __init__(self, pool: Pool, events: Mapping[str, type[Event]] = READABLE) -> None:
        self._pool = pool
        self._events = events
        self._mapper = JSONMapper(events)
        self._wanted = lru_cache(self._stored_under)

    def head(self) -> int:
        """Return the position of the last event, 0 if there is none."""
        with self._pool.connection() as connection:
            row = connection.execute(_HEAD).fetchone()
        return row[0] if row else 0

    def read(self, after: int, limit: int, topics: Sequence[str]) -> Window:
        """Return the events of the topics among the `limit` positions behind `after`."""
        wanted = self._wanted(tuple(topics))
        asked = {"after": after, "upto": after + limit, "topics": wanted}
        with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_READ, asked).fetchall()
        # The last event may stand where the window ends, too.
        end = rows.pop(-1 if rows[-1][_TOPIC] is None else -2)
        upto = max(end[0], after)
        decode = self._mapper.decode
        try:
            events: list[Recorded[Any]] = [
                _tuple(Recorded, (position, at, decode(topic, state, originator_id, version)))
                for position, at, originator_id, version, topic, state in rows
            ]
        except _UNREADABLE:
            return self._told_apart(rows, upto)
        return Window(events, upto)

    def _stored_under(self, topics: tuple[str, ...]) -> str:
        """Return the topics, and the former ones, as an array that no read has to make again."""
        return "{" + ",".join(f'"{topic}"' for topic in stored_under(topics, self._events)) + "}"

    def _told_apart(self, rows: Sequence[TupleRow], upto: int) -> Window:
        """Return what can be read, and beside it what cannot."""
        events, unreadable = list[Recorded[Any]](), list[Unreadable]()
        for position, recorded_at, originator_id, version, topic, state in rows:
            try:
                event = self._mapper.decode(topic, state, originator_id, version)
            except _UNREADABLE as error:
                newer = isinstance(error, SchemaFromFuture)
                name = self._events[topic].TOPIC
                unreadable.append(Unreadable(position, name, str(error), newer=newer))
            else:
                events.append(Recorded(position, recorded_at, event))
        return Window(events, upto, unreadable)
