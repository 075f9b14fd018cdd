"""Appeals: what people say against refusals of the screening, and what came of it.

Read by moderators, whose queue it is.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.generation.events import AppealDecided, GenerationAppealed
from projections.projection import Projection, Recorded

APPEAL = """
    INSERT INTO appeals (generation_id, statement, state, appealed_at, appealed_position, position)
    VALUES (%(generation_id)s, %(statement)s, 'open', %(at)s, %(position)s, %(position)s)
    ON CONFLICT (generation_id) DO UPDATE
    SET statement = excluded.statement, state = 'open', appealed_at = excluded.appealed_at,
        appealed_position = excluded.appealed_position, decided_by = NULL, decided_at = NULL,
        note = NULL, position = excluded.position
"""

DECIDE = """
    UPDATE appeals SET state = %s, decided_by = %s, decided_at = %s, note = %s, position = %s
    WHERE generation_id = %s
"""

AppealEvent = GenerationAppealed | AppealDecided


class Appeals(Projection[AppealEvent]):
    """One row a generation that was appealed; its last appeal, if there were several."""

    name = "appeals"
    tables = ("appeals",)
    topics = (GenerationAppealed.TOPIC, AppealDecided.TOPIC)

    def fold(self, events: Sequence[Recorded[AppealEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            match event:
                case GenerationAppealed():
                    fields = {
                        "generation_id": event.originator_id,
                        "statement": event.statement,
                        "at": event.timestamp,
                        "position": recorded.position,
                    }
                    cursor.execute(APPEAL, fields)
                case AppealDecided():
                    state = "overturned" if event.overturned else "upheld"
                    decision = (state, event.by, event.timestamp, event.note)
                    cursor.execute(DECIDE, (*decision, recorded.position, event.originator_id))
                case _:
                    assert_never(event)
