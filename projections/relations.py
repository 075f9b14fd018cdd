"""Relations: who follows, blocks and mutes whom.

Read by lists of people, by the feed, which keeps them in memory, and by every query for videos.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.following.events import (
    AccountBlocked,
    AccountFollowed,
    AccountMuted,
    AccountUnblocked,
    AccountUnfollowed,
    AccountUnmuted,
)
from projections.projection import Projection, Recorded

FOLLOW = """
    INSERT INTO relations (account_id, other_id, follows, followed_at, followed_position, position)
    VALUES (%(account_id)s, %(other_id)s, true, %(at)s, %(position)s, %(position)s)
    ON CONFLICT (account_id, other_id) DO UPDATE
    SET follows = true, followed_at = excluded.followed_at,
        followed_position = excluded.followed_position, position = excluded.position
"""

UNFOLLOW = """
    UPDATE relations SET follows = false, position = %(position)s
    WHERE account_id = %(account_id)s AND other_id = %(other_id)s
"""

BLOCK = """
    INSERT INTO relations (account_id, other_id, blocks, blocked_position, position)
    VALUES (%(account_id)s, %(other_id)s, true, %(position)s, %(position)s)
    ON CONFLICT (account_id, other_id) DO UPDATE
    SET blocks = true, blocked_position = excluded.blocked_position, position = excluded.position
"""

UNBLOCK = """
    UPDATE relations SET blocks = false, position = %(position)s
    WHERE account_id = %(account_id)s AND other_id = %(other_id)s
"""

MUTE = """
    INSERT INTO relations (account_id, other_id, mutes, muted_position, position)
    VALUES (%(account_id)s, %(other_id)s, true, %(position)s, %(position)s)
    ON CONFLICT (account_id, other_id) DO UPDATE
    SET mutes = true, muted_position = excluded.muted_position, position = excluded.position
"""

UNMUTE = """
    UPDATE relations SET mutes = false, position = %(position)s
    WHERE account_id = %(account_id)s AND other_id = %(other_id)s
"""

Relating = (
    AccountFollowed
    | AccountUnfollowed
    | AccountBlocked
    | AccountUnblocked
    | AccountMuted
    | AccountUnmuted
)


class Relations(Projection[Relating]):
    """One row for each account and each other that it ever related to."""

    name = "relations"
    tables = ("relations",)
    topics = (
        AccountFollowed.TOPIC,
        AccountUnfollowed.TOPIC,
        AccountBlocked.TOPIC,
        AccountUnblocked.TOPIC,
        AccountMuted.TOPIC,
        AccountUnmuted.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Relating]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            fields = {
                "account_id": event.account_id,
                "other_id": event.other_id,
                "at": event.timestamp,
                "position": recorded.position,
            }
            match event:
                case AccountFollowed():
                    cursor.execute(FOLLOW, fields)
                case AccountUnfollowed():
                    cursor.execute(UNFOLLOW, fields)
                case AccountBlocked():
                    cursor.execute(BLOCK, fields)
                case AccountUnblocked():
                    cursor.execute(UNBLOCK, fields)
                case AccountMuted():
                    cursor.execute(MUTE, fields)
                case AccountUnmuted():
                    cursor.execute(UNMUTE, fields)
                case _:
                    assert_never(event)
