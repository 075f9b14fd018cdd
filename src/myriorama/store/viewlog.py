"""The view log: what apps report as watched, in which position order is commit order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import Conflict
from domain.viewing.events import VideoViewed
from myriorama.store.postgres import AdvisoryLock, Pool
from projections.projection import Recorded, Window

# A batch that comes twice at once waits here for its double, before it holds anybody up.
_ONCE = """
    INSERT INTO viewing_batches (viewer_id, session_id, sequence, digest, accepted)
    VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

_BEFORE = """
    SELECT digest, accepted FROM viewing_batches
    WHERE viewer_id = %s AND session_id = %s AND sequence = %s
"""

# Every writer takes this lock to the end of its transaction: no position becomes visible
# before a lower one.
_LOCK = "SELECT pg_advisory_xact_lock(%s)"

_INSERT = """
    WITH head AS (SELECT coalesce(max(position), 0) AS position FROM viewings)
    INSERT INTO viewings (position, viewer_id, session_id, sequence,
                          video_id, decision_id, watched_ms, loops)
    SELECT head.position + new.n, %s, %s, %s,
           new.video_id, new.decision_id, new.watched_ms, new.loops
    FROM head, unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[])
        WITH ORDINALITY AS new (video_id, decision_id, watched_ms, loops, n)
"""

_NOTIFY = "NOTIFY viewings"

_HEAD = "SELECT coalesce(max(position), 0) FROM viewings"

_READ = """
    SELECT position, recorded_at, viewer_id, video_id, decision_id, session_id, sequence,
           watched_ms, loops
    FROM viewings WHERE position > %s AND position <= %s ORDER BY position LIMIT %s
"""


class SequenceReused(Conflict):
    """The session reported other views under this sequence number before."""


@dataclass(frozen=True)
class Viewing:
    """How long one video, from one page of the feed, was watched."""

    video_id: UUID
    decision_id: UUID
    watched_ms: int
    loops: int


@dataclass(frozen=True)
class Batch:
    """What an app reports at once, under a number of its session's.

    `digest` is of all that the app sent: it tells a repetition from another report.
    """

    viewer_id: UUID
    session_id: UUID
    sequence: int
    digest: bytes
    viewings: Sequence[Viewing]


@dataclass(frozen=True)
class Receipt:
    """How many viewings are stored; `duplicate` if they were before this time."""

    accepted: int
    duplicate: bool


class Views:
    """The view log. Safe to share between threads."""

    channel = "viewings"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def append(self, batch: Batch) -> Receipt:
        """Store a batch once; it is durable when this returns. Positions have no holes.

        Raises:
            SequenceReused: the session used the number for another batch. Nothing was stored.
        """
        name = (batch.viewer_id, batch.session_id, batch.sequence)
        accepted = len(batch.viewings)
        with self._pool.connection() as connection, connection.transaction():
            if connection.execute(_ONCE, (*name, batch.digest, accepted)).rowcount == 0:
                return self._before(connection.execute(_BEFORE, name).fetchone(), batch)
            connection.execute(_LOCK, (AdvisoryLock.VIEW_LOG,))
            rows = [(v.video_id, v.decision_id, v.watched_ms, v.loops) for v in batch.viewings]
            connection.execute(_INSERT, (*name, *map(list, zip(*rows, strict=True))))
            connection.execute(_NOTIFY)
        return Receipt(accepted, duplicate=False)

    def head(self) -> int:
        """Return the position of the last viewing, 0 if there is none."""
        with self._pool.connection() as connection:
            row = connection.execute(_HEAD).fetchone()
        return row[0] if row else 0

    def read(self, after: int, limit: int, topics: Sequence[str]) -> Window:
        """Return at most `limit` viewings behind position `after`, if their topic is wanted."""
        with self._pool.connection() as connection:
            (last,) = connection.execute(_HEAD).fetchone() or (0,)
            head = max(last, after)
            if VideoViewed.TOPIC not in topics:
                return Window([], head)
            rows = connection.execute(_READ, (after, head, limit)).fetchall()
        upto = rows[-1][0] if len(rows) == limit else head
        return Window([_recorded(*row) for row in rows], upto)

    def _before(self, row: tuple[Any, ...] | None, batch: Batch) -> Receipt:
        if row is None or row[0] != batch.digest:
            raise SequenceReused(
                f"Session {batch.session_id} reported other views as number {batch.sequence}."
            )
        return Receipt(row[1], duplicate=True)


def _recorded(position: int, recorded_at: datetime, *viewed: Any) -> Recorded[VideoViewed]:
    return Recorded(position, recorded_at, VideoViewed(*viewed))
