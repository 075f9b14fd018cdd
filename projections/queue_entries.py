"""Queue entries: what waits for the GPU, what is in work, and when each had its turn.

Read by the dispatcher, which decides by them whose turn it is, and by the API, which tells each
where it stands (`domain/generation/fair_queue.py` is the rule of both).
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.generation.events import (
    AppealDecided,
    AttemptFailed,
    GenerationCancelled,
    GenerationCompleted,
    GenerationDispatched,
    GenerationFailed,
    GenerationRefused,
    GenerationRequested,
    GenerationStarted,
    LeaseExpired,
)
from projections.projection import Projection, Recorded

WAIT = """
    INSERT INTO queue_entries (
        generation_id, account_id, work_class, cost_ms, state, attempt, waits_since, position
    ) VALUES (%s, %s, %s, %s, 'queued', 0, %s, %s)
"""

DISPATCH = """
    UPDATE queue_entries SET state = 'dispatched', attempt = %(attempt)s, dispatched_at = %(at)s,
        released_at = coalesce(released_at, %(at)s),
        released_position = coalesce(released_position, %(position)s), position = %(position)s
    WHERE generation_id = %(id)s
"""

START = """
    UPDATE queue_entries SET state = 'running', started_at = %s, worker = %s, position = %s
    WHERE generation_id = %s
"""

WAIT_AGAIN = "UPDATE queue_entries SET state = 'queued', position = %s WHERE generation_id = %s"

COMPLETE = """
    UPDATE queue_entries SET state = 'ended', completed_at = %s, gpu_ms = %s, position = %s
    WHERE generation_id = %s
"""

END = "UPDATE queue_entries SET state = 'ended', position = %s WHERE generation_id = %s"

# One that was refused wrongly waits from then on, unless its video is there.
READMIT = """
    UPDATE queue_entries
    SET state = CASE WHEN completed_at IS NULL THEN 'queued' ELSE 'ended' END,
        waits_since = CASE WHEN completed_at IS NULL THEN %s ELSE waits_since END, position = %s
    WHERE generation_id = %s
"""

DECIDE = "UPDATE queue_entries SET position = %s WHERE generation_id = %s"

# What those are thought to cost for which no estimate was recorded, by second of video: stitched
# ones take a worker, though no GPU; the others were asked for before there were estimates.
_STITCHED_MS = 100
_UNKNOWN_MS = 1000

Queued = (
    GenerationRequested
    | GenerationDispatched
    | GenerationStarted
    | LeaseExpired
    | AttemptFailed
    | GenerationCompleted
    | GenerationFailed
    | GenerationRefused
    | AppealDecided
    | GenerationCancelled
)


class QueueEntries(Projection[Queued]):
    """One row a generation."""

    name = "queue_entries"
    tables = ("queue_entries",)
    topics = (
        GenerationRequested.TOPIC,
        GenerationDispatched.TOPIC,
        GenerationStarted.TOPIC,
        LeaseExpired.TOPIC,
        AttemptFailed.TOPIC,
        GenerationCompleted.TOPIC,
        GenerationFailed.TOPIC,
        GenerationRefused.TOPIC,
        AppealDecided.TOPIC,
        GenerationCancelled.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Queued]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            _fold(recorded.event, recorded.position, cursor)


def _fold(event: Queued, position: int, cursor: Cursor[TupleRow]) -> None:
    stand = (position, event.originator_id)
    match event:
        case GenerationRequested():
            kind = (event.originator_id, event.account_id, event.work_class)
            cursor.execute(WAIT, (*kind, _cost_ms(event), event.timestamp, position))
        case GenerationDispatched():
            at = {"attempt": event.attempt, "at": event.timestamp}
            cursor.execute(DISPATCH, {**at, "position": position, "id": event.originator_id})
        case GenerationStarted():
            cursor.execute(START, (event.timestamp, event.worker, *stand))
        case LeaseExpired() | AttemptFailed():
            cursor.execute(WAIT_AGAIN, stand)
        case GenerationCompleted():
            cursor.execute(COMPLETE, (event.timestamp, event.gpu_ms, *stand))
        case GenerationFailed() | GenerationRefused() | GenerationCancelled():
            cursor.execute(END, stand)
        case AppealDecided():
            if event.overturned:
                cursor.execute(READMIT, (event.timestamp, *stand))
            else:
                cursor.execute(DECIDE, stand)
        case _:
            assert_never(event)


def _cost_ms(event: GenerationRequested) -> int:
    return event.estimate_ms or event.seconds * (_STITCHED_MS if event.stitches else _UNKNOWN_MS)
