"""Generation costs: what each generation took of a GPU, and whether its video was kept.

Read by the API, which divides one by the other: GPU time by second of video that is still there
seven days after it was made, by model, class of work and week.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.generation.events import GenerationCompleted, GenerationRequested
from domain.video.events import VideoDeleted, VideoPublished
from projections.projection import Projection, Recorded

ASK = """
    INSERT INTO generation_costs (generation_id, model, work_class, position)
    VALUES (%s, %s, %s, %s)
"""

COMPLETE = """
    UPDATE generation_costs
    SET gpu_ms = %s, duration_ms = %s, completed_at = %s, position = %s
    WHERE generation_id = %s
"""

PUBLISH = """
    UPDATE generation_costs SET video_id = %s, published_at = %s, position = %s
    WHERE generation_id = %s
"""

DELETE = "UPDATE generation_costs SET deleted_at = %s, position = %s WHERE video_id = %s"

Costed = GenerationRequested | GenerationCompleted | VideoPublished | VideoDeleted


class GenerationCosts(Projection[Costed]):
    """One row a generation; what did not come to be has cost nothing that is known."""

    name = "generation_costs"
    tables = ("generation_costs",)
    topics = (
        GenerationRequested.TOPIC,
        GenerationCompleted.TOPIC,
        VideoPublished.TOPIC,
        VideoDeleted.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Costed]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event, position, of = recorded.event, recorded.position, recorded.event.originator_id
            match event:
                case GenerationRequested():
                    cursor.execute(ASK, (of, event.model, event.work_class, position))
                case GenerationCompleted():
                    cost = (event.gpu_ms, event.duration_ms, event.timestamp)
                    cursor.execute(COMPLETE, (*cost, position, of))
                case VideoPublished():
                    made = (of, event.timestamp, position)
                    cursor.execute(PUBLISH, (*made, event.generation_id))
                case VideoDeleted():
                    cursor.execute(DELETE, (event.timestamp, position, of))
                case _:
                    assert_never(event)
