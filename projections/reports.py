"""Reports: which videos should not be here, who says so, and why. Read by moderators."""

from collections.abc import Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.reaction.events import VideoReported
from projections.projection import Projection, Recorded

REPORT = """
    INSERT INTO reports (account_id, video_id, reason, note, reported_at, position)
    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


class Reports(Projection[VideoReported]):
    """One row for each account and each video that it reported."""

    name = "reports"
    tables = ("reports",)
    topics = (VideoReported.TOPIC,)

    def fold(self, events: Sequence[Recorded[VideoReported]], cursor: Cursor[TupleRow]) -> None:
        cursor.executemany(
            REPORT,
            [
                (
                    event.account_id,
                    event.video_id,
                    event.reason,
                    event.note,
                    event.timestamp,
                    position,
                )
                for position, _, event in events
            ],
        )
