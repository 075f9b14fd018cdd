"""Uploads: what people sent in, and what became of it.

Read by their owners, and by the sweep for those that nobody looked at to the end.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.upload.events import UploadCleared, UploadEvent, UploadReceived, UploadRefused
from projections.projection import Projection, Recorded

RECEIVE = """
    INSERT INTO uploads (upload_id, owner_id, purpose, state, received_at, position)
    VALUES (%s, %s, %s, 'received', %s, %s)
"""

CLEAR = """
    UPDATE uploads SET state = 'cleared', media_type = %s, width = %s, height = %s,
                       duration_ms = %s, image_key = %s, video_key = %s, voice_key = %s,
                       voice_pitch_hz = %s, position = %s
    WHERE upload_id = %s
"""

REFUSE = """
    UPDATE uploads SET state = 'refused', code = %s, detail = %s, position = %s
    WHERE upload_id = %s
"""


class Uploads(Projection[UploadEvent]):
    """One row an upload; the keys are of objects that only signed URLs lead to."""

    name = "uploads"
    tables = ("uploads",)
    topics = (UploadReceived.TOPIC, UploadCleared.TOPIC, UploadRefused.TOPIC)

    def fold(self, events: Sequence[Recorded[UploadEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            position, upload_id = recorded.position, event.originator_id
            match event:
                case UploadReceived():
                    received = (event.owner_id, event.purpose, event.timestamp)
                    cursor.execute(RECEIVE, (upload_id, *received, position))
                case UploadCleared():
                    seen = (event.media_type, event.width, event.height, event.duration_ms)
                    keys = (event.image_key, event.video_key, event.voice_key)
                    pitch = event.voice_pitch_hz
                    cursor.execute(CLEAR, (*seen, *keys, pitch, position, upload_id))
                case UploadRefused():
                    cursor.execute(REFUSE, (event.code, event.detail, position, upload_id))
                case _:
                    assert_never(event)
