"""Account deeds: what each account did on each day, in UTC.

Read for the tables of experiments, which compare what the accounts of one arm did with what those
of another did.
"""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.comment.events import CommentPosted
from domain.reaction.events import VideoLiked, VideoReported, VideoShared
from domain.steering.events import LessAsked
from domain.video.events import VideoPublished
from projections.projection import Projection, Recorded

ADD = """
    INSERT INTO account_deeds AS done (account_id, day, likes, comments, shares, creations, remixes,
                                       less, reports, position)
    SELECT * FROM unnest(%b::uuid[], %b::date[], %b::bigint[], %b::bigint[], %b::bigint[],
                         %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
    ON CONFLICT (account_id, day) DO UPDATE
    SET likes = done.likes + excluded.likes, comments = done.comments + excluded.comments,
        shares = done.shares + excluded.shares, creations = done.creations + excluded.creations,
        remixes = done.remixes + excluded.remixes, less = done.less + excluded.less,
        reports = done.reports + excluded.reports, position = excluded.position
"""

Done = VideoLiked | VideoShared | VideoReported | CommentPosted | LessAsked | VideoPublished

_LIKES, _COMMENTS, _SHARES, _CREATIONS, _REMIXES, _LESS, _REPORTS = range(7)


class AccountDeeds(Projection[Done]):
    """One row an account and day. What was taken back was done all the same."""

    name = "account_deeds"
    tables = ("account_deeds",)
    topics = (
        VideoLiked.TOPIC,
        VideoShared.TOPIC,
        VideoReported.TOPIC,
        CommentPosted.TOPIC,
        LessAsked.TOPIC,
        VideoPublished.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Done]], cursor: Cursor[TupleRow]) -> None:
        """Add the window up in memory, then write each account and day once."""
        rows: dict[tuple[int, int], list[object]] = {}
        counts: dict[tuple[int, int], list[int]] = {}
        for recorded in events:
            account_id, columns = _done(recorded.event)
            day = recorded.event.timestamp.date()
            key = (account_id.int, day.toordinal())
            counted = counts.setdefault(key, [0] * 7)
            for column in columns:
                counted[column] += 1
            rows[key] = [account_id, day, recorded.position]
        if not rows:
            return
        table = [[*row[:2], *counts[key], row[2]] for key, row in rows.items()]
        cursor.execute(ADD, [list(column) for column in zip(*table, strict=True)])


def _done(event: Done) -> tuple[UUID, tuple[int, ...]]:
    """Tell who did what."""
    match event:
        case VideoLiked():
            account_id, column = event.account_id, _LIKES
        case VideoShared():
            account_id, column = event.account_id, _SHARES
        case VideoReported():
            account_id, column = event.account_id, _REPORTS
        case LessAsked():
            account_id, column = event.account_id, _LESS
        case CommentPosted():
            account_id, column = event.author_id, _COMMENTS
        case VideoPublished():
            return event.author_id, (_CREATIONS, _REMIXES)[: 2 if event.remix_of else 1]
        case _:
            assert_never(event)
    return account_id, (column,)
