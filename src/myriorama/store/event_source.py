"""The domain log as those read it who follow it by position."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from eventsourcing.persistence import MapperDeserialisationError
from psycopg.rows import TupleRow

from domain.catalogue import READABLE, Event, stored_under
from myriorama.store.mapper import JSONMapper, SchemaFromFuture
from myriorama.store.postgres import Pool
from projections.projection import Recorded, Unreadable, Window

# One statement is one snapshot: what is behind the window's end cannot belong into it. Positions
# have no holes, so that a stretch of the primary key is a window, whatever is in it.
_READ = """
    SELECT head.upto, e.position, e.recorded_at, e.originator_id, e.originator_version, e.topic,
           e.state
    FROM (SELECT least(coalesce(max(position), 0), %s) AS upto FROM events) AS head
    LEFT JOIN events e
        ON e.position > %s AND e.position <= head.upto AND e.topic = ANY(%s::text[])
    ORDER BY e.position
"""

_UNREADABLE = (MapperDeserialisationError, SchemaFromFuture)

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
        with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_READ, (after + limit, after, wanted)).fetchall()
        upto = max(rows[0][0], after)
        if rows[0][1] is None:
            return Window([], upto)
        decode = self._mapper.decode
        try:
            events = [
                Recorded(position, recorded_at, decode(topic, state, originator_id, version))
                for _, position, recorded_at, originator_id, version, topic, state in rows
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
        for _, position, recorded_at, originator_id, version, topic, state in rows:
            try:
                event = self._mapper.decode(topic, state, originator_id, version)
            except _UNREADABLE as error:
                newer = isinstance(error, SchemaFromFuture)
                name = self._events[topic].TOPIC
                unreadable.append(Unreadable(position, name, str(error), newer=newer))
            else:
                events.append(Recorded(position, recorded_at, event))
        return Window(events, upto, unreadable)
