"""View counts: how often each video was viewed. Read for the cards in feeds and lists."""

from typing import ClassVar, Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.viewing.events import VideoViewed
from projections.projection import SetProjection

COUNT = """
    WITH new AS (
        INSERT INTO counted_views (viewer_id, decision_id, video_id, position)
        SELECT viewer_id, decision_id, video_id, position FROM viewings
        WHERE position > %s AND position <= %s
        ORDER BY position
        ON CONFLICT DO NOTHING RETURNING video_id, position
    )
    INSERT INTO view_counts AS counted (video_id, views, position)
    SELECT video_id, count(*), max(position) FROM new GROUP BY video_id
    ON CONFLICT (video_id) DO UPDATE
    SET views = counted.views + excluded.views, position = excluded.position
"""


class ViewCounts(SetProjection):
    """One row a video that was viewed.

    What one viewer reports on one showing (a video on one page of the feed) is one view, however
    often it is reported. `counted_views` knows the showings that have been counted.
    """

    name = "view_counts"
    log: ClassVar[Literal["domain", "views"]] = "views"
    tables = ("view_counts", "counted_views")
    topics = (VideoViewed.TOPIC,)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        cursor.execute(COUNT, (after, upto))
