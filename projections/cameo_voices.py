"""Voices of cameos: the synthetic one that an owner chose, or none once they took that back.

Read by owners, beside their cameos. Workers are told by the write side, which asks the aggregates.
"""

from collections.abc import Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.cameo.events import VoiceChosen
from projections.projection import Projection, Recorded

CHOOSE = """
    INSERT INTO cameo_voices (cameo_id, voice, position) VALUES (%s, %s, %s)
    ON CONFLICT (cameo_id) DO UPDATE SET voice = excluded.voice, position = excluded.position
"""


class CameoVoices(Projection[VoiceChosen]):
    """One row a cameo whose owner ever chose; without a voice, the measured pitch decides."""

    name = "cameo_voices"
    tables = ("cameo_voices",)
    topics = (VoiceChosen.TOPIC,)

    def fold(self, events: Sequence[Recorded[VoiceChosen]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            chosen = recorded.event
            cursor.execute(CHOOSE, (chosen.originator_id, chosen.voice, recorded.position))
