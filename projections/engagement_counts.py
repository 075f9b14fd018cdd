"""Engagement counts: how many likes, comments, shares, bookmarks and remixes a video has, exactly.

Read beside every video, and by ranking, which keeps them in memory.
"""

from collections.abc import Sequence
from typing import Any, assert_never
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.comment.events import CommentDeleted, CommentPosted
from domain.reaction.events import (
    VideoBookmarked,
    VideoLiked,
    VideoShared,
    VideoUnbookmarked,
    VideoUnliked,
)
from domain.video.events import VideoDeleted, VideoPublished
from projections.projection import Projection, Recorded

BEGIN = "INSERT INTO engagement_counts (video_id, remix_of, position) VALUES (%s, %s, %s)"

PARENT = "SELECT remix_of FROM engagement_counts WHERE video_id = %s"

ADD = """
    UPDATE engagement_counts c
    SET likes = c.likes + d.likes, comments = c.comments + d.comments,
        shares = c.shares + d.shares, bookmarks = c.bookmarks + d.bookmarks,
        remixes = c.remixes + d.remixes, position = d.position
    FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
                %b::bigint[])
        AS d (video_id, likes, comments, shares, bookmarks, remixes, position)
    WHERE c.video_id = d.video_id
"""

Counted = (
    VideoPublished
    | VideoDeleted
    | VideoLiked
    | VideoUnliked
    | VideoBookmarked
    | VideoUnbookmarked
    | VideoShared
    | CommentPosted
    | CommentDeleted
)

# Where each count stands in the row of a delta, behind the video; the last is the position.
_LIKES, _COMMENTS, _SHARES, _BOOKMARKS, _REMIXES, _POSITION = range(1, 7)


class EngagementCounts(Projection[Counted]):
    """One row a video. A remix counts from its publication to its deletion."""

    name = "engagement_counts"
    tables = ("engagement_counts",)
    topics = (
        VideoPublished.TOPIC,
        VideoDeleted.TOPIC,
        VideoLiked.TOPIC,
        VideoUnliked.TOPIC,
        VideoBookmarked.TOPIC,
        VideoUnbookmarked.TOPIC,
        VideoShared.TOPIC,
        CommentPosted.TOPIC,
        CommentDeleted.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Counted]], cursor: Cursor[TupleRow]) -> None:
        """Add the window up in memory, then write each video once: a thousand likes are one row."""
        deltas: dict[int, list[Any]] = {}
        for recorded in events:
            counted = _counted(recorded, cursor)
            if counted:
                video_id, column, number = counted
                # The hash of a number is at hand, that of a UUID is computed in Python.
                delta = deltas.get(video_id.int)
                if delta is None:
                    delta = deltas[video_id.int] = [video_id, 0, 0, 0, 0, 0, 0]
                delta[column] += number
                delta[_POSITION] = recorded.position
        if deltas:
            columns = [list(column) for column in zip(*deltas.values(), strict=True)]
            cursor.execute(ADD, columns)


def _counted(  # noqa: PLR0911 - one answer an event
    recorded: Recorded[Counted], cursor: Cursor[TupleRow]
) -> tuple[UUID, int, int] | None:
    """Tell which count of which video an event changes, and by how much."""
    event = recorded.event
    match event:
        case VideoLiked():
            return event.video_id, _LIKES, 1
        case VideoUnliked():
            return event.video_id, _LIKES, -1
        case VideoBookmarked():
            return event.video_id, _BOOKMARKS, 1
        case VideoUnbookmarked():
            return event.video_id, _BOOKMARKS, -1
        case VideoShared():
            return event.video_id, _SHARES, 1
        case CommentPosted():
            return event.video_id, _COMMENTS, 1
        case CommentDeleted():
            return event.video_id, _COMMENTS, -1
        case VideoPublished():
            cursor.execute(BEGIN, (event.originator_id, event.remix_of, recorded.position))
            return (event.remix_of, _REMIXES, 1) if event.remix_of else None
        case VideoDeleted():
            row = cursor.execute(PARENT, (event.originator_id,)).fetchone()
            return (row[0], _REMIXES, -1) if row and row[0] else None
        case _:
            assert_never(event)
