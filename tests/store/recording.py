"""What the tests of the recorder share: events, and moments at which the log stands still."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from myriorama.store.postgres import AdvisoryLock

RECORDER = "myriorama recorder"

_BUSY = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = %s AND datname = current_database()
      AND state = 'active' AND wait_event_type = 'Lock'
"""


def happened(
    stream: UUID | None = None, version: int = 1, *, topic: str = "invitation.issued"
) -> StoredEvent:
    """Return an event, of an aggregate of its own if none is given."""
    return StoredEvent(stream or uuid4(), version, topic, b"{}")


@contextmanager
def standstill(url: str) -> Generator[psycopg.Connection]:
    """Nobody gets the lock of the log: those who record meanwhile become one batch.

    The connection that holds it is yielded.
    """
    with psycopg.connect(url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (AdvisoryLock.DOMAIN_LOG,))
        yield holder


def waiting_recorder(connection: psycopg.Connection) -> int:
    """Return the server process of a recorder, once it waits for a lock."""
    while True:
        row = connection.execute(_BUSY, (RECORDER,)).fetchone()
        if row is not None:
            return int(row[0])


def stored(url: str) -> Sequence[tuple[int, UUID, int]]:
    """Return position, aggregate and version of every event."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT position, originator_id, originator_version FROM events ORDER BY position"
        ).fetchall()
