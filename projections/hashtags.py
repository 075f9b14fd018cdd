"""Hashtags: which videos carry which, and how many there are. Read by search and explore."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, assert_never
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.cameo.events import CameoRevoked
from domain.video.events import CaptionChanged, VideoDeleted, VideoPublished, VisibilityChanged
from domain.video.hashtags import hashtags
from projections.projection import Projection, Recorded

# A video without any hashtag is not in the table, and may get one: the empty one keeps its place.
NOTHING = ""

TAG = """
    INSERT INTO video_hashtags (video_id, public, cameo_ids, published_position, position, tag)
    SELECT %s, %s, %s, %s, %s, tag FROM unnest(%s::text[]) AS tag
"""

UNTAG = """
    DELETE FROM video_hashtags WHERE video_id = %s
    RETURNING tag, public, cameo_ids, published_position
"""

WITHDRAW = """
    DELETE FROM video_hashtags WHERE cameo_ids @> ARRAY[%s]::uuid[] RETURNING tag, public
"""

COUNT = """
    INSERT INTO hashtags AS counted (tag, videos)
    SELECT * FROM unnest(%s::text[], %s::bigint[])
    ON CONFLICT (tag) DO UPDATE SET videos = counted.videos + excluded.videos
"""

FORGET = "DELETE FROM hashtags WHERE tag = ANY(%s) AND videos = 0"

Tagged = VideoPublished | CaptionChanged | VisibilityChanged | VideoDeleted | CameoRevoked


class Hashtags(Projection[Tagged]):
    """One row a hashtag of a video, and one a hashtag, with how many public videos carry it.

    What was deleted carries none, nor what was withdrawn: somebody in it has revoked their cameo.
    """

    name = "hashtags"
    tables = ("hashtags", "video_hashtags")
    topics = (
        VideoPublished.TOPIC,
        CaptionChanged.TOPIC,
        VisibilityChanged.TOPIC,
        VideoDeleted.TOPIC,
        CameoRevoked.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Tagged]], cursor: Cursor[TupleRow]) -> None:
        changes: Counter[str] = Counter()
        for recorded in events:
            changes.update(_fold(recorded, cursor))
        tags = sorted(tag for tag, change in changes.items() if tag != NOTHING and change)
        if tags:
            cursor.execute(COUNT, (tags, [changes[tag] for tag in tags]))
            cursor.execute(FORGET, (tags,))


class _Stand(NamedTuple):
    """What every hashtag of a video is told of it."""

    video_id: UUID
    public: bool
    cameo_ids: list[UUID]
    published_position: int
    position: int


def _fold(recorded: Recorded[Tagged], cursor: Cursor[TupleRow]) -> Counter[str]:
    """Write what a video carries; return by how much that changes the public videos of each."""
    event = recorded.event
    if isinstance(event, CameoRevoked):
        gone = cursor.execute(WITHDRAW, (event.originator_id,)).fetchall()
        return Counter({tag: -times for tag, times in Counter(t for t, p in gone if p).items()})
    video_id = event.originator_id
    if isinstance(event, VideoPublished):
        place, public = recorded.position, event.visibility == "public"
        stand = _Stand(video_id, public, list(event.cameo_ids), place, place)
        return _tag(stand, hashtags(event.caption), cursor)
    before = cursor.execute(UNTAG, (video_id,)).fetchall()
    if not before:
        return Counter()
    _, was_public, cameo_ids, published = before[0]
    tags = tuple(tag for tag, *_ in before)
    changes = Counter(dict.fromkeys(tags, -1 if was_public else 0))
    stand = _Stand(video_id, was_public, cameo_ids, published, recorded.position)
    match event:
        case CaptionChanged():
            added = _tag(stand, hashtags(event.caption), cursor)
        case VisibilityChanged():
            added = _tag(stand._replace(public=event.visibility == "public"), tags, cursor)
        case VideoDeleted():
            return changes
        case _:
            assert_never(event)
    changes.update(added)
    return changes


def _tag(stand: _Stand, tags: Sequence[str], cursor: Cursor[TupleRow]) -> Counter[str]:
    tags = tuple(tags) or (NOTHING,)
    cursor.execute(TAG, (*stand, list(tags)))
    return Counter(dict.fromkeys(tags, int(stand.public)))
