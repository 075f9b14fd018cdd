"""Video documents: what each video says, in words and as a vector. Read by search."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Protocol, assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.video.events import CaptionChanged, VideoDeleted, VideoPublished
from projections.projection import Projection, Recorded

# Parsed as English, a text of another language keeps its words nearly as they are.
WRITE = """
    INSERT INTO video_documents (video_id, caption, prompt, words, vector, position)
    VALUES (%(video_id)s, %(caption)s, %(prompt)s,
            setweight(to_tsvector('english', %(caption)s), 'A')
            || setweight(to_tsvector('english', %(prompt)s), 'B'),
            %(vector)s::vector, %(position)s)
    ON CONFLICT (video_id) DO UPDATE
    SET caption = excluded.caption, words = excluded.words, vector = excluded.vector,
        position = excluded.position
"""

PROMPT = "SELECT prompt FROM video_documents WHERE video_id = %s"

DELETE = "DELETE FROM video_documents WHERE video_id = %s"


class Vector(Protocol):
    """A row of numbers, as numpy has it: projections know nothing of numpy."""

    def tolist(self) -> list[float]:
        """Return the numbers."""
        ...


Embed = Callable[[Sequence[str]], Iterable[Vector]]
"""Texts in, `(texts, 128)` out: rows of length one, or of zeros."""

Written = VideoPublished | CaptionChanged | VideoDeleted


class VideoDocuments(Projection[Written]):
    """One row a video that has not been deleted.

    With other vectors the tables of a rebuild differ from those that are live, as they are to.
    """

    name = "video_documents"
    tables = ("video_documents",)
    topics = (VideoPublished.TOPIC, CaptionChanged.TOPIC, VideoDeleted.TOPIC)

    def __init__(self, load: Callable[[], Embed]) -> None:
        """`load` is called when there is something to read for the first time."""
        self._load = load

    def fold(self, events: Sequence[Recorded[Written]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            match event:
                case VideoPublished():
                    self._write(recorded, event.caption, event.prompt, cursor)
                case CaptionChanged():
                    found = cursor.execute(PROMPT, (event.originator_id,)).fetchone()
                    if found:
                        self._write(recorded, event.caption, found[0], cursor)
                case VideoDeleted():
                    cursor.execute(DELETE, (event.originator_id,))
                case _:
                    assert_never(event)

    def _write(
        self, recorded: Recorded[Written], caption: str, prompt: str, cursor: Cursor[TupleRow]
    ) -> None:
        (row,) = self._embed([f"{prompt}\n{caption}"])
        document = {
            "video_id": recorded.event.originator_id,
            "caption": caption,
            "prompt": prompt,
            "vector": literal(row),
            "position": recorded.position,
        }
        cursor.execute(WRITE, document)

    @cached_property
    def _embed(self) -> Embed:
        return self._load()


def literal(row: Vector) -> str | None:
    """Return a vector as pgvector reads it; None for one of zeros, which has no direction."""
    numbers = row.tolist()
    return f"[{','.join(map(str, numbers))}]" if any(numbers) else None
