"""Comments: what people wrote under videos, and in reply to one another."""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.comment.events import CommentDeleted, CommentEvent, CommentPosted
from projections.projection import Projection, Recorded

POST = """
    INSERT INTO comments (comment_id, video_id, parent_id, author_id, text, posted_at,
                          posted_position, position)
    VALUES (%(comment_id)s, %(video_id)s, %(parent_id)s, %(author_id)s, %(text)s, %(at)s,
            %(position)s, %(position)s)
"""

COUNT_REPLY = "UPDATE comments SET replies = replies + 1, position = %s WHERE comment_id = %s"

DELETE = "UPDATE comments SET deleted = true, text = '', position = %s WHERE comment_id = %s"


class Comments(Projection[CommentEvent]):
    """One row a comment; a deleted one stays without its text, so that its replies stand."""

    name = "comments"
    tables = ("comments",)
    topics = (CommentPosted.TOPIC, CommentDeleted.TOPIC)

    def fold(self, events: Sequence[Recorded[CommentEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            match event:
                case CommentPosted():
                    fields = {
                        "comment_id": event.originator_id,
                        "video_id": event.video_id,
                        "parent_id": event.parent_id,
                        "author_id": event.author_id,
                        "text": event.text,
                        "at": event.timestamp,
                        "position": recorded.position,
                    }
                    cursor.execute(POST, fields)
                    if event.parent_id:
                        cursor.execute(COUNT_REPLY, (recorded.position, event.parent_id))
                case CommentDeleted():
                    cursor.execute(DELETE, (recorded.position, event.originator_id))
                case _:
                    assert_never(event)
