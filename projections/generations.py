"""Generations: every request and what has become of it.

Read by its owner (lists, drafts, live status) and by the dispatcher, whose queue it is; the view
`generation_queue` puts the live ones in the order in which they are served.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.generation.events import (
    AppealDecided,
    AttemptFailed,
    DraftDiscarded,
    GenerationAppealed,
    GenerationCancelled,
    GenerationCompleted,
    GenerationDispatched,
    GenerationEvent,
    GenerationFailed,
    GenerationRefused,
    GenerationRequested,
    GenerationScreened,
    GenerationStarted,
    LeaseExpired,
    LeaseExtended,
)
from domain.video.events import VideoPublished
from projections.projection import Projection, Recorded

REQUEST = """
    INSERT INTO generations (
        generation_id, account_id, state, attempt, prompt, seconds, orientation, resolution, width,
        height, seed, cameo_ids, image_upload_id, remix_of, work_class, requested_at, position
    ) VALUES (%s, %s, 'queued', 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

DISPATCH = """
    UPDATE generations SET state = 'dispatched', attempt = %s, position = %s
    WHERE generation_id = %s
"""

START = """
    UPDATE generations SET state = 'running', started_at = %s, lease_expires_at = %s, position = %s
    WHERE generation_id = %s
"""

EXTEND = "UPDATE generations SET lease_expires_at = %s, position = %s WHERE generation_id = %s"

QUEUE_AGAIN = """
    UPDATE generations SET state = 'queued', lease_expires_at = NULL, position = %s
    WHERE generation_id = %s
"""

# What the screening refused has been refused by now, and stays so.
COMPLETE = """
    UPDATE generations SET state = CASE state WHEN 'refused' THEN state ELSE 'completed' END,
        lease_expires_at = NULL, video_key = %s, poster_key = %s, thumbnail_key = %s,
        duration_ms = %s, renderer = %s, ended_at = %s, position = %s
    WHERE generation_id = %s
"""

END = """
    UPDATE generations SET state = %s, lease_expires_at = NULL, reason = %s, detail = %s,
        ended_at = %s, position = %s
    WHERE generation_id = %s
"""

OVERTURN = """
    UPDATE generations SET reason = NULL, detail = NULL, position = %s,
        state = CASE WHEN video_key IS NULL THEN 'queued' ELSE 'completed' END,
        ended_at = CASE WHEN video_key IS NULL THEN NULL ELSE ended_at END
    WHERE generation_id = %s
"""

DISCARD = "UPDATE generations SET state = 'discarded', position = %s WHERE generation_id = %s"
PUBLISH = "UPDATE generations SET video_id = %s, position = %s WHERE generation_id = %s"


class Generations(Projection[GenerationEvent | VideoPublished]):
    """One row a generation; `video_id` is the video that its draft became."""

    name = "generations"
    tables = ("generations",)
    topics = (
        GenerationRequested.TOPIC,
        GenerationDispatched.TOPIC,
        GenerationStarted.TOPIC,
        LeaseExtended.TOPIC,
        LeaseExpired.TOPIC,
        AttemptFailed.TOPIC,
        GenerationCompleted.TOPIC,
        GenerationFailed.TOPIC,
        GenerationRefused.TOPIC,
        AppealDecided.TOPIC,
        GenerationCancelled.TOPIC,
        DraftDiscarded.TOPIC,
        VideoPublished.TOPIC,
    )

    def fold(
        self,
        events: Sequence[Recorded[GenerationEvent | VideoPublished]],
        cursor: Cursor[TupleRow],
    ) -> None:
        for recorded in events:
            _fold(recorded.event, recorded.position, cursor)


def _fold(  # noqa: C901, PLR0912 - one case an event
    event: GenerationEvent | VideoPublished, position: int, cursor: Cursor[TupleRow]
) -> None:
    stand = (position, event.originator_id)
    match event:
        case GenerationRequested():
            cursor.execute(REQUEST, (*_asked(event), position))
        case GenerationDispatched():
            cursor.execute(DISPATCH, (event.attempt, *stand))
        case GenerationStarted():
            cursor.execute(START, (event.timestamp, event.lease_expires_at, *stand))
        case LeaseExtended():
            cursor.execute(EXTEND, (event.lease_expires_at, *stand))
        case LeaseExpired() | AttemptFailed():
            cursor.execute(QUEUE_AGAIN, stand)
        case GenerationCompleted():
            files = (event.video_key, event.poster_key, event.thumbnail_key)
            made = (event.duration_ms, event.renderer, event.timestamp)
            cursor.execute(COMPLETE, (*files, *made, *stand))
        case GenerationFailed():
            cursor.execute(END, ("failed", event.reason, event.detail, event.timestamp, *stand))
        case GenerationRefused():
            cursor.execute(END, ("refused", event.reason, event.detail, event.timestamp, *stand))
        case AppealDecided():
            if event.overturned:
                cursor.execute(OVERTURN, stand)
        case GenerationScreened() | GenerationAppealed():
            pass  # They change what `recipes` tells, and no state.
        case GenerationCancelled():
            cursor.execute(END, ("cancelled", None, None, event.timestamp, *stand))
        case DraftDiscarded():
            cursor.execute(DISCARD, stand)
        case VideoPublished():
            cursor.execute(PUBLISH, (event.originator_id, position, event.generation_id))
        case _:
            assert_never(event)


def _asked(event: GenerationRequested) -> tuple[object, ...]:
    return (
        event.originator_id,
        event.account_id,
        event.prompt,
        event.seconds,
        event.orientation,
        event.resolution,
        event.width,
        event.height,
        event.seed,
        list(event.cameo_ids),
        event.image_upload_id,
        event.remix_of,
        event.work_class,
        event.timestamp,
    )
