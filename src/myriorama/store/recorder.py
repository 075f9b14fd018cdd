"""The recorder of the domain log: one table, in which position order is commit order."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from myriorama.store.causation import present_cause
from myriorama.store.postgres import AdvisoryLock, Pool

# Every writer takes this lock to the end of its transaction: no position becomes visible
# before a lower one. It is no table lock, so VACUUM and CREATE INDEX do not wait for it.
_LOCK = "SELECT pg_advisory_xact_lock(%s)"
_NOTIFY = "NOTIFY events"

_ONCE = """
    INSERT INTO commands (command_id, position)
    SELECT %s, coalesce(max(position), 0) + 1 FROM events
"""

_CHANGED = """
    SELECT g.id FROM unnest(%s::uuid[], %s::bigint[]) AS g (id, version)
    WHERE g.version <> (
        SELECT coalesce(max(e.originator_version), 0) FROM events e WHERE e.originator_id = g.id
    )
"""

_INSERT = """
    WITH head AS (SELECT coalesce(max(position), 0) AS position FROM events)
    INSERT INTO events (position, originator_id, originator_version, topic, state,
                        actor_id, request_id, traceparent)
    SELECT head.position + new.n, new.id, new.version, new.topic, new.state, %s, %s, %s
    FROM head, unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[])
        WITH ORDINALITY AS new (id, version, topic, state, n)
    ORDER BY new.n
    RETURNING position
"""

_SELECT_STREAM = """
    SELECT originator_id, originator_version, topic, state FROM events
    WHERE originator_id = %s AND originator_version > %s AND originator_version <= %s
    ORDER BY originator_version LIMIT %s
"""

_SELECT_STREAM_BACKWARDS = _SELECT_STREAM.replace("version LIMIT", "version DESC LIMIT")

_SELECT_LOG = """
    SELECT position, originator_id, originator_version, topic, state FROM events
    WHERE position > %s AND position <= %s AND (%s::text[] IS NULL OR topic = ANY(%s))
    ORDER BY position LIMIT %s
"""

_HEAD = "SELECT max(position) FROM events"

_ENDLESS = 2**62


class CommandRepeated(Exception):
    """The command has been applied before. Nothing was recorded this time."""


class DomainRecorder(ApplicationRecorder):
    """Records events so that a subscriber who reads by position misses none.

    Positions count from 1 without a hole.
    """

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        expect: Mapping[UUID, int] | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        """Record all the events, or none.

        Args:
            stored_events: what happened.
            expect: the read set: the version at which each aggregate was read (0: not there). It
                is compared under the lock, and nothing is written to these aggregates.

        Raises:
            IntegrityError: another command was first: a version is taken, or `expect` failed.
            CommandRepeated: the present command has been applied before.
        """
        if not stored_events:
            return None
        with self._pool.connection() as connection, connection.transaction():
            return self._insert(connection, stored_events, expect or {})

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        query = _SELECT_STREAM_BACKWARDS if desc else _SELECT_STREAM
        bounds = (originator_id, gt or 0, _ENDLESS if lte is None else lte, limit)
        with self._pool.connection() as connection:
            return [StoredEvent(*row) for row in connection.execute(query, bounds)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - inclusive_of_start
        wanted = list(topics) or None
        bounds = (after, _ENDLESS if stop is None else stop, wanted, wanted, limit)
        with self._pool.connection() as connection:
            return [
                Notification(id=position, **StoredEvent(*event).__dict__)
                for position, *event in connection.execute(_SELECT_LOG, bounds)
            ]

    def max_notification_id(self) -> int | None:
        with self._pool.connection() as connection:
            row = connection.execute(_HEAD).fetchone()
        return row[0] if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Refuse: the projector follows the log by position and needs no thread per subscriber.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"Read by position instead (after {gt}, topics {topics}).")

    def _insert(
        self,
        connection: Connection[TupleRow],
        events: Sequence[StoredEvent],
        expect: Mapping[UUID, int],
    ) -> list[int]:
        cause = present_cause()
        connection.execute(_LOCK, (AdvisoryLock.DOMAIN_LOG,))
        if cause.command_id is not None and cause.position is None:
            try:
                connection.execute(_ONCE, (cause.command_id,))
            except UniqueViolation:
                raise CommandRepeated(cause.command_id) from None
        if expect:
            read_set = (list(expect), list(expect.values()))
            if connection.execute(_CHANGED, read_set).rowcount:
                raise IntegrityError("What was read has changed.")
        columns = tuple(map(list, zip(*map(_columns, events), strict=True)))
        try:
            rows = connection.execute(
                _INSERT, (cause.actor_id, cause.request_id, cause.traceparent, *columns)
            ).fetchall()
        except UniqueViolation as error:
            raise IntegrityError(str(error)) from error
        connection.execute(_NOTIFY)
        cause.position = rows[-1][0]
        return [position for (position,) in rows]


def _columns(event: StoredEvent) -> tuple[UUID | str, int, str, bytes]:
    return event.originator_id, event.originator_version, event.topic, event.state
