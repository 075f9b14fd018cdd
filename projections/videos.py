"""Videos: what has been published, and how it is shown now.

Read by the feed, and by every route that shows videos; `visible_videos` and `listed_videos` of the
database apply the rule of who may see which.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.cameo.events import CameoRevoked
from domain.video.events import (
    BrandedContentDeclared,
    CaptionChanged,
    RemixingChanged,
    RenditionsBuilt,
    VideoDeleted,
    VideoEvent,
    VideoLabelled,
    VideoPublished,
    VisibilityChanged,
)
from projections.projection import Projection, Recorded

PUBLISH = """
    INSERT INTO videos (video_id, author_id, generation_id, caption, visibility, remixable, prompt,
                        cameo_ids, remix_of, root_id, depth, video_key, poster_key, thumbnail_key,
                        width, height, duration_ms, state, published_at, published_position,
                        version, position)
    VALUES (%(video_id)s, %(author_id)s, %(generation_id)s, %(caption)s, %(visibility)s,
            %(remixable)s, %(prompt)s, %(cameo_ids)s, %(remix_of)s, %(root_id)s, %(depth)s,
            %(video_key)s, %(poster_key)s, %(thumbnail_key)s, %(width)s, %(height)s,
            %(duration_ms)s, 'live', %(timestamp)s, %(position)s, %(version)s, %(position)s)
"""

CHANGE_CAPTION = "UPDATE videos SET caption = %s, version = %s, position = %s WHERE video_id = %s"

CHANGE_VISIBILITY = """
    UPDATE videos SET visibility = %s, version = %s, position = %s WHERE video_id = %s
"""

CHANGE_REMIXING = """
    UPDATE videos SET remixable = %s, version = %s, position = %s WHERE video_id = %s
"""

# Whether a remix tells what it was made from depends on who may see that.
TOUCH_LINE = """
    UPDATE videos SET position = %(position)s
    WHERE (remix_of = %(video_id)s OR root_id = %(video_id)s) AND video_id <> %(video_id)s
"""

ADD_RENDITIONS = """
    UPDATE videos SET ladder_key = %s, version = %s, position = %s WHERE video_id = %s
"""

LABEL = "UPDATE videos SET labels = %s, version = %s, position = %s WHERE video_id = %s"

BRAND = "UPDATE videos SET branded_by = %s, version = %s, position = %s WHERE video_id = %s"

DELETE = "UPDATE videos SET state = 'deleted', version = %s, position = %s WHERE video_id = %s"

# What was made of a withdrawn video tells no longer of it, as if it had been deleted.
WITHDRAW = """
    WITH withdrawn AS (
        UPDATE videos SET state = 'withdrawn', position = %(position)s
        WHERE cameo_ids @> ARRAY[%(cameo_id)s]::uuid[] AND state = 'live' RETURNING video_id
    )
    UPDATE videos SET position = %(position)s
    WHERE video_id IN (
        SELECT made.video_id FROM withdrawn w JOIN videos made ON made.remix_of = w.video_id
        UNION
        SELECT made.video_id FROM withdrawn w JOIN videos made ON made.root_id = w.video_id
        EXCEPT
        SELECT video_id FROM withdrawn
    )
"""

Shown = VideoEvent | CameoRevoked


class Videos(Projection[Shown]):
    """One row a video; one that is deleted or withdrawn stays, so that caches see that it went.

    A video is withdrawn once somebody who appears in it has revoked their cameo.
    """

    name = "videos"
    tables = ("videos",)
    topics = (
        VideoPublished.TOPIC,
        CaptionChanged.TOPIC,
        VisibilityChanged.TOPIC,
        RemixingChanged.TOPIC,
        VideoDeleted.TOPIC,
        RenditionsBuilt.TOPIC,
        VideoLabelled.TOPIC,
        BrandedContentDeclared.TOPIC,
        CameoRevoked.TOPIC,
    )

    def fold(  # noqa: C901 - one case an event
        self, events: Sequence[Recorded[Shown]], cursor: Cursor[TupleRow]
    ) -> None:
        for recorded in events:
            event = recorded.event
            stand = (event.originator_version, recorded.position, event.originator_id)
            line = {"video_id": event.originator_id, "position": recorded.position}
            match event:
                case VideoPublished():
                    fields = {
                        **vars(event),
                        "cameo_ids": list(event.cameo_ids),
                        "video_id": event.originator_id,
                        "version": event.originator_version,
                        "position": recorded.position,
                    }
                    cursor.execute(PUBLISH, fields)
                case CaptionChanged():
                    cursor.execute(CHANGE_CAPTION, (event.caption, *stand))
                case VisibilityChanged():
                    cursor.execute(CHANGE_VISIBILITY, (event.visibility, *stand))
                    cursor.execute(TOUCH_LINE, line)
                case RemixingChanged():
                    cursor.execute(CHANGE_REMIXING, (event.remixable, *stand))
                case VideoDeleted():
                    cursor.execute(DELETE, stand)
                    cursor.execute(TOUCH_LINE, line)
                case RenditionsBuilt():
                    cursor.execute(ADD_RENDITIONS, (event.ladder_key, *stand))
                case VideoLabelled():
                    cursor.execute(LABEL, (list(event.labels), *stand))
                case BrandedContentDeclared():
                    cursor.execute(BRAND, (event.brand, *stand))
                case CameoRevoked():
                    revoked = {"cameo_id": event.originator_id, "position": recorded.position}
                    cursor.execute(WITHDRAW, revoked)
                case _:
                    assert_never(event)
