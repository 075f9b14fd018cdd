"""Reactions: what one account made of one video. Read beside a video, and by lists of bookmarks."""

from collections.abc import Sequence
from typing import assert_never

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
    INSERT INTO reactions (account_id, video_id, liked, position)
    VALUES (%(account_id)s, %(video_id)s, true, %(position)s)
    ON CONFLICT (account_id, video_id) DO UPDATE SET liked = true, position = excluded.position
"""

UNLIKE = """
    UPDATE reactions SET liked = false, position = %(position)s
    WHERE account_id = %(account_id)s AND video_id = %(video_id)s
"""

BOOKMARK = """
    INSERT INTO reactions (account_id, video_id, bookmarked, bookmarked_position, position)
    VALUES (%(account_id)s, %(video_id)s, true, %(position)s, %(position)s)
    ON CONFLICT (account_id, video_id) DO UPDATE
    SET bookmarked = true, bookmarked_position = excluded.bookmarked_position,
        position = excluded.position
"""

UNBOOKMARK = """
    UPDATE reactions SET bookmarked = false, position = %(position)s
    WHERE account_id = %(account_id)s AND video_id = %(video_id)s
"""

SHARE = """
    INSERT INTO reactions (account_id, video_id, shared, position)
    VALUES (%(account_id)s, %(video_id)s, true, %(position)s)
    ON CONFLICT (account_id, video_id) DO UPDATE SET shared = true, position = excluded.position
"""

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
        for recorded in events:
            event = recorded.event
            fields = {
                "account_id": event.account_id,
                "video_id": event.video_id,
                "position": recorded.position,
            }
            match event:
                case VideoLiked():
                    cursor.execute(LIKE, fields)
                case VideoUnliked():
                    cursor.execute(UNLIKE, fields)
                case VideoBookmarked():
                    cursor.execute(BOOKMARK, fields)
                case VideoUnbookmarked():
                    cursor.execute(UNBOOKMARK, fields)
                case VideoShared():
                    cursor.execute(SHARE, fields)
                case _:
                    assert_never(event)
