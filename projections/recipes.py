"""Recipes: what every generation was asked to be made of, by what, and what the screening said.

Read by its owner beside the state of the generation, and by those who go on from it.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from domain.generation.events import (
    AppealDecided,
    GenerationAppealed,
    GenerationCompleted,
    GenerationRequested,
    GenerationScreened,
)
from projections.projection import Projection, Recorded

REQUEST = """
    INSERT INTO recipes (
        generation_id, model, shots, last_image_upload_id, extends, stitches, remake_of, rerolls,
        estimate_ms, position
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

COMPLETE = """
    UPDATE recipes SET sprite_key = %s, captions_key = %s, transcript = %s, model_digest = %s,
        position = %s
    WHERE generation_id = %s
"""

SCREEN = "UPDATE recipes SET verdicts = verdicts || %s, position = %s WHERE generation_id = %s"

APPEAL = """
    UPDATE recipes SET appeal = 'open', appeal_note = NULL, position = %s WHERE generation_id = %s
"""

DECIDE = """
    UPDATE recipes SET appeal = %s, appeal_note = %s, position = %s WHERE generation_id = %s
"""

RecipeEvent = (
    GenerationRequested
    | GenerationCompleted
    | GenerationScreened
    | GenerationAppealed
    | AppealDecided
)


class Recipes(Projection[RecipeEvent]):
    """One row a generation."""

    name = "recipes"
    tables = ("recipes",)
    topics = (
        GenerationRequested.TOPIC,
        GenerationCompleted.TOPIC,
        GenerationScreened.TOPIC,
        GenerationAppealed.TOPIC,
        AppealDecided.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[RecipeEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            _fold(recorded.event, recorded.position, cursor)


def _fold(event: RecipeEvent, position: int, cursor: Cursor[TupleRow]) -> None:
    stand = (position, event.originator_id)
    match event:
        case GenerationRequested():
            cursor.execute(REQUEST, (*_asked(event), position))
        case GenerationCompleted():
            files = (event.sprite_key, event.captions_key)
            cursor.execute(COMPLETE, (*files, event.transcript, event.model_digest, *stand))
        case GenerationScreened():
            cursor.execute(SCREEN, (Jsonb([_verdict(event)]), *stand))
        case GenerationAppealed():
            cursor.execute(APPEAL, stand)
        case AppealDecided():
            decision = "overturned" if event.overturned else "upheld"
            cursor.execute(DECIDE, (decision, event.note, *stand))
        case _:
            assert_never(event)


def _asked(event: GenerationRequested) -> tuple[object, ...]:
    return (
        event.originator_id,
        event.model,
        Jsonb([asdict(shot) for shot in event.shots]),
        event.last_image_upload_id,
        event.extends,
        list(event.stitches),
        event.remake_of,
        event.rerolls,
        event.estimate_ms,
    )


def _verdict(event: GenerationScreened) -> dict[str, str]:
    return {
        "stage": event.stage,
        "check": event.check,
        "version": event.version,
        "verdict": event.verdict,
        "code": event.code,
        "detail": event.detail,
    }
