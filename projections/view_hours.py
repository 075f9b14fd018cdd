"""Viewers by the hour: by how many each video is watched now. Read by explore, for what trends."""

from typing import ClassVar, Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.viewing.events import VideoViewed
from projections.projection import SetProjection

HOURS_KEPT = 168

COUNT = """
    WITH new AS (
        INSERT INTO hourly_viewers (hour, video_id, viewer_id)
        SELECT DISTINCT floor(extract(epoch FROM recorded_at) / 3600)::bigint, video_id, viewer_id
        FROM viewings WHERE position > %s AND position <= %s
        ON CONFLICT DO NOTHING RETURNING hour, video_id
    )
    INSERT INTO view_hours AS counted (hour, video_id, viewers)
    SELECT hour, video_id, count(*) FROM new GROUP BY hour, video_id
    ON CONFLICT (hour, video_id) DO UPDATE SET viewers = counted.viewers + excluded.viewers
"""

FORGET_VIEWERS = """
    DELETE FROM hourly_viewers WHERE hour <= (SELECT max(hour) FROM view_hours) - %s
"""

FORGET = "DELETE FROM view_hours WHERE hour <= (SELECT max(hour) FROM view_hours) - %s"


class ViewHours(SetProjection):
    """One row a video and hour in which it was watched; whoever watches it often counts once.

    Only the last hours are kept, as the log goes, whose time never goes back.
    """

    name = "view_hours"
    log: ClassVar[Literal["domain", "views"]] = "views"
    tables = ("view_hours", "hourly_viewers")
    topics = (VideoViewed.TOPIC,)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        cursor.execute(COUNT, (after, upto))
        cursor.execute(FORGET_VIEWERS, (HOURS_KEPT,))
        cursor.execute(FORGET, (HOURS_KEPT,))
