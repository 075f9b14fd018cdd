"""Provenance: by what every finished video can be recognised, whoever shows it to us.

Read by the detector and by `verify media`.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.generation.events import GenerationCompleted
from domain.video.events import VideoPublished
from projections.projection import Projection, Recorded

ADD = """
    INSERT INTO provenance (generation_id, sha256, watermark, perceptual_hash, position)
    VALUES (%s, %s, %s, %s, %s)
"""

PUBLISH = "UPDATE provenance SET video_id = %s, position = %s WHERE generation_id = %s"


class Provenance(Projection[GenerationCompleted | VideoPublished]):
    """One row a finished generation, also when its draft was refused or thrown away."""

    name = "provenance"
    tables = ("provenance",)
    topics = (GenerationCompleted.TOPIC, VideoPublished.TOPIC)

    def fold(
        self,
        events: Sequence[Recorded[GenerationCompleted | VideoPublished]],
        cursor: Cursor[TupleRow],
    ) -> None:
        for recorded in events:
            event = recorded.event
            match event:
                case GenerationCompleted():
                    bits = (signed(event.watermark), signed(event.perceptual_hash))
                    row = (event.originator_id, event.sha256, *bits, recorded.position)
                    cursor.execute(ADD, row)
                case VideoPublished():
                    published = (event.originator_id, recorded.position, event.generation_id)
                    cursor.execute(PUBLISH, published)
                case _:
                    assert_never(event)


def signed(digits: str) -> int | None:
    """Return 64 bits in hex digits as PostgreSQL keeps them; None for none, and for no bit set."""
    bits = int(digits or "0", 16)
    if bits == 0:
        return None
    return bits - 2**64 if bits >= 2**63 else bits
