"""What the fair queue is fed with: rows of `queue_entries`, and the releases that it has not seen.

The dispatcher and the API both keep a queue of these in memory, and both have the same: all that
it knows follows from the rows, in the order of the log.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.generation.fair_queue import FairQueue, Release, Rules, Waiting

LIVE = """
    SELECT generation_id, account_id, work_class, cost_ms, state, attempt, waits_since,
           dispatched_at, started_at, worker
    FROM queue_entries WHERE state <> 'ended'
"""

RELEASED = """
    SELECT released_position, account_id, work_class, cost_ms, waits_since, released_at
    FROM queue_entries WHERE released_position > %s AND released_at > %s
    ORDER BY released_position
"""

# Who has had no turn for so long stands at the front by age (or has not waited).
_REMEMBERED_MIN = timedelta(hours=1)
_FORGET_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class LiveRow:
    """A generation that waits ("queued"), is on its way ("dispatched"), or "running"."""

    generation_id: UUID
    account_id: UUID
    work_class: str
    cost_ms: int
    state: str
    attempt: int
    waits_since: datetime
    dispatched_at: datetime | None
    started_at: datetime | None
    worker: str | None


@dataclass(frozen=True)
class ReleasedRow:
    """A generation that has had its turn."""

    released_position: int
    account_id: UUID
    work_class: str
    cost_ms: int
    waits_since: datetime
    released_at: datetime


class KnownQueue:
    """The fair queue out of the releases of the last hour, and each that follows.

    It is built anew whenever its owner is: `unseen` is then all of that hour.
    """

    def __init__(self, rules: Rules) -> None:
        self.fair = FairQueue(rules)
        self._remembered = max(_REMEMBERED_MIN, 2 * timedelta(seconds=rules.age_s_max))
        self._position = 0
        self._forgot_at = datetime.min.replace(tzinfo=UTC)

    def unseen(self, now: datetime) -> tuple[int, datetime]:
        """Return the parameters of `RELEASED`."""
        return self._position, now - self._remembered

    def take(self, rows: Sequence[ReleasedRow], *, now: datetime) -> None:
        """Take note of the releases that `RELEASED` has found."""
        for row in rows:
            self.fair.released(
                Release(
                    row.account_id,
                    row.work_class,
                    row.cost_ms,
                    row.waits_since.timestamp(),
                    row.released_at.timestamp(),
                )
            )
            self._position = row.released_position
        if now - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = now
            self.fair.forget((now - self._remembered).timestamp())


def waiting(rows: Iterable[LiveRow]) -> Sequence[Waiting]:
    """Return those that wait for their turn."""
    return [
        Waiting(
            row.generation_id,
            row.account_id,
            row.work_class,
            row.cost_ms,
            row.waits_since.timestamp(),
            row.attempt,
        )
        for row in rows
        if row.state == "queued"
    ]


def in_flight(rows: Iterable[LiveRow]) -> Mapping[UUID, int]:
    """Return how many of each account are in work."""
    return Counter(row.account_id for row in rows if row.state != "queued")
