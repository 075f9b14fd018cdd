"""The recorder of the domain log: one table, in which position order is commit order."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    StoredEvent,
    Subscription,
)

from myriorama.store.append_connection import PATIENCE_S, AppendConnection
from myriorama.store.appends import AwaitedAppend, CommandRepeated, PromisedAppend
from myriorama.store.causation import present_cause
from myriorama.store.group_commit import GroupCommit
from myriorama.store.postgres import Pool
from myriorama.store.subscription import PositionSubscription

__all__ = ["CommandRepeated", "DomainRecorder"]

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


class DomainRecorder(ApplicationRecorder):
    """Records events so that a subscriber who reads by position misses none.

    Positions count from 1 without a hole.
    """

    def __init__(self, pool: Pool, *, patience_s: float = PATIENCE_S) -> None:
        """Read over the pool, and append over one connection beside it, opened when needed.

        Who appends while the server is away waits for so long before they are refused.
        """
        super().__init__()
        self._patience_s = patience_s
        self._pool = pool
        self._commits: dict[int, GroupCommit] = {}

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
            CommandRepeated: the present command has been applied before; it tells where.
            psycopg.OperationalError: the server was not there for some time.
        """
        if not stored_events:
            return None
        return self._commit().record(AwaitedAppend(stored_events, expect, present_cause()))

    def submit(
        self, stored_events: Sequence[StoredEvent], *, expect: Mapping[UUID, int] | None = None
    ) -> Future[Sequence[int]]:
        """Record as `insert_events` does, and return at once.

        The future tells the positions, or raises. If it is cancelled before the events are on
        their way, they are not recorded.
        """
        if not stored_events:
            nothing: Future[Sequence[int]] = Future()
            nothing.set_result([])
            return nothing
        return self._commit().submit(PromisedAppend(stored_events, expect, present_cause()))

    def close(self) -> None:
        """Record what is waiting, and hang up. Who appends from now on is refused."""
        self._commit().close()

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
        conninfo = self._pool.conninfo
        return PositionSubscription(
            self, conninfo() if callable(conninfo) else conninfo, gt, topics
        )

    def _commit(self) -> GroupCommit:
        """Return what commits for this process: one that was forked has its own connection."""
        found = self._commits.get(os.getpid())
        return found or self._commits.setdefault(
            os.getpid(), GroupCommit(AppendConnection(self._pool, patience_s=self._patience_s))
        )
