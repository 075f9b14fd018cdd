"""Engagement by the hour: what people make of each video now. Read by explore, for what trends."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.comment.events import CommentPosted
from domain.reaction.events import (
    VideoBookmarked,
    VideoLiked,
    VideoShared,
    VideoUnbookmarked,
    VideoUnliked,
)
from domain.video.events import VideoPublished
from projections.projection import Projection, Recorded

HOURS_KEPT = 168

ADD = """
    INSERT INTO engagement_hours AS counted
        (hour, video_id, likes, comments, shares, bookmarks, remixes)
    SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[],
                         %s::bigint[], %s::bigint[])
    ON CONFLICT (hour, video_id) DO UPDATE
    SET likes = counted.likes + excluded.likes, comments = counted.comments + excluded.comments,
        shares = counted.shares + excluded.shares,
        bookmarks = counted.bookmarks + excluded.bookmarks,
        remixes = counted.remixes + excluded.remixes
"""

FORGET = """
    DELETE FROM engagement_hours
    WHERE hour <= (SELECT max(hour) FROM engagement_hours) - %s
"""

Engaging = (
    VideoPublished
    | VideoLiked
    | VideoUnliked
    | VideoBookmarked
    | VideoUnbookmarked
    | VideoShared
    | CommentPosted
)

_LIKES, _COMMENTS, _SHARES, _BOOKMARKS, _REMIXES = range(5)


class EngagementHours(Projection[Engaging]):
    """One row a video and hour in which something was made of it.

    Only the last hours are kept, as the log goes: whatever is older than the newest by more is
    dropped, in any cut of the log.
    """

    name = "engagement_hours"
    tables = ("engagement_hours",)
    topics = (
        VideoPublished.TOPIC,
        VideoLiked.TOPIC,
        VideoUnliked.TOPIC,
        VideoBookmarked.TOPIC,
        VideoUnbookmarked.TOPIC,
        VideoShared.TOPIC,
        CommentPosted.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Engaging]], cursor: Cursor[TupleRow]) -> None:
        added: defaultdict[tuple[int, UUID], list[int]] = defaultdict(lambda: [0] * 5)
        for recorded in events:
            counted = _counted(recorded.event)
            if counted:
                video_id, column, number = counted
                added[hour_of(recorded.recorded_at), video_id][column] += number
        if added:
            rows = [(*key, *counts) for key, counts in added.items()]
            cursor.execute(ADD, [list(column) for column in zip(*rows, strict=True)])
            cursor.execute(FORGET, (HOURS_KEPT,))


def hour_of(at: datetime) -> int:
    """Return the hour of a time, counted since 1970."""
    return int(at.timestamp()) // 3600


def _counted(event: Engaging) -> tuple[UUID, int, int] | None:
    """Tell which count of which video an event changes, and by how much."""
    counted: tuple[UUID, int, int] | None
    match event:
        case VideoLiked():
            counted = (event.video_id, _LIKES, 1)
        case VideoUnliked():
            counted = (event.video_id, _LIKES, -1)
        case VideoBookmarked():
            counted = (event.video_id, _BOOKMARKS, 1)
        case VideoUnbookmarked():
            counted = (event.video_id, _BOOKMARKS, -1)
        case VideoShared():
            counted = (event.video_id, _SHARES, 1)
        case CommentPosted():
            counted = (event.video_id, _COMMENTS, 1)
        case VideoPublished():
            counted = (event.remix_of, _REMIXES, 1) if event.remix_of else None
        case _:
            assert_never(event)
    return counted
