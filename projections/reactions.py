"""Reactions: what one account made of one video. Read beside a video, and by lists of bookmarks."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.reaction.events import (
    VideoBookmarked,
    VideoLiked,
    VideoShared,
    VideoUnbookmarked,
    VideoUnliked,
)
from projections.projection import Projection, Recorded

LIKE = """
    INSERT INTO reactions AS r (account_id, video_id, liked, position)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::boolean[], %b::bigint[])
    ON CONFLICT (account_id, video_id) DO UPDATE
    SET liked = excluded.liked, position = greatest(r.position, excluded.position)
"""

# A bookmark that was removed keeps the place that it had among the bookmarks.
BOOKMARK = """
    INSERT INTO reactions AS r (account_id, video_id, bookmarked, bookmarked_position, position)
    SELECT account_id, video_id, bookmarked, nullif(since, 0), position
    FROM unnest(%b::uuid[], %b::uuid[], %b::boolean[], %b::bigint[], %b::bigint[])
        AS new (account_id, video_id, bookmarked, since, position)
    ON CONFLICT (account_id, video_id) DO UPDATE
    SET bookmarked = excluded.bookmarked,
        bookmarked_position = coalesce(excluded.bookmarked_position, r.bookmarked_position),
        position = greatest(r.position, excluded.position)
"""

SHARE = """
    INSERT INTO reactions AS r (account_id, video_id, shared, position)
    SELECT account_id, video_id, true, position
    FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[]) AS new (account_id, video_id, position)
    ON CONFLICT (account_id, video_id) DO UPDATE
    SET shared = true, position = greatest(r.position, excluded.position)
"""

Key = tuple[UUID, UUID]

Reacting = VideoLiked | VideoUnliked | VideoBookmarked | VideoUnbookmarked | VideoShared


class Reactions(Projection[Reacting]):
    """One row for each account and each video that it ever reacted to."""

    name = "reactions"
    tables = ("reactions",)
    topics = (
        VideoLiked.TOPIC,
        VideoUnliked.TOPIC,
        VideoBookmarked.TOPIC,
        VideoUnbookmarked.TOPIC,
        VideoShared.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Reacting]], cursor: Cursor[TupleRow]) -> None:
        """Find out in memory what is true at the end of the window, then write each row once."""
        liked: dict[Key, tuple[bool, int]] = {}
        bookmarked: dict[Key, tuple[bool, int, int]] = {}
        shared: dict[Key, tuple[int]] = {}
        for position, _, event in events:
            key = event.account_id, event.video_id
            match event:
                case VideoLiked():
                    liked[key] = True, position
                case VideoUnliked():
                    liked[key] = False, position
                case VideoBookmarked():
                    bookmarked[key] = True, position, position
                case VideoUnbookmarked():
                    _, since, _ = bookmarked.get(key, (True, 0, 0))
                    bookmarked[key] = False, since, position
                case VideoShared():
                    shared[key] = (position,)
                case _:
                    assert_never(event)
        if liked:
            cursor.execute(LIKE, _columns(liked))
        if bookmarked:
            cursor.execute(BOOKMARK, _columns(bookmarked))
        if shared:
            cursor.execute(SHARE, _columns(shared))


def _columns(rows: Mapping[Key, tuple[object, ...]]) -> list[list[object]]:
    keys, values = zip(*rows, strict=True), zip(*rows.values(), strict=True)
    return [list(column) for column in (*keys, *values)]
