"""Exploring: what trends, whoever looks, but for what they may not or do not want to see.

Nothing of the viewer moves anything up. What trends is told by counts of whole hours and by weights
that are whole numbers, so that within the hour the same counts give the same order.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec

from myriorama.api.paging import Cursors
from myriorama.api.people import Somebody
from myriorama.api.reads import Reads
from myriorama.api.searching import Hashtag
from myriorama.feed.cards import Card, Cards

CONSIDERED = 1000
"""So many are looked at, the best first, before it is asked which of them the viewer may see."""

TRENDING_MAX = 200
BESIDE_MAX = 10

WEIGHTS: Mapping[str, int] = {"like": 8, "comment": 10, "share": 15, "bookmark": 8, "remix": 30}
"""What counts how much, where whoever watched counts 1: what is made of a video counts most."""

HALF_LIFE_HOURS = 12
HOURS = 72
DECAY = [round(2**16 * 0.5 ** (age / HALF_LIFE_HOURS)) for age in range(HOURS)]

LINES_DAYS = 7

TRENDING = Path(__file__).with_name("trending.sql").read_bytes()

HASHTAGS = """
    SELECT t.tag, h.videos
    FROM unnest(%(video_ids)s::uuid[], %(heats)s::bigint[]) AS hot (video_id, heat)
    JOIN video_hashtags t USING (video_id) JOIN hashtags h ON h.tag = t.tag
    GROUP BY t.tag, h.videos ORDER BY sum(hot.heat) DESC, t.tag LIMIT %(limit)s
"""

# Of the latest videos, those that are the first of their authors in public.
FRESH = """
    SELECT a.account_id, a.handle, a.display_name
    FROM (SELECT video_id, author_id, published_position FROM videos
          WHERE state = 'live' AND visibility = 'public' AND labels = '{}'
          ORDER BY published_position DESC LIMIT %(considered)s) AS w
    JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
    JOIN accounts a ON a.account_id = w.author_id
    LEFT JOIN relations r ON r.account_id = %(viewer_id)s AND r.other_id = w.author_id
    WHERE NOT coalesce(r.follows, false) AND w.author_id IS DISTINCT FROM %(viewer_id)s
      AND NOT EXISTS (SELECT FROM videos o WHERE o.author_id = w.author_id AND o.state = 'live'
                      AND o.visibility = 'public' AND o.published_position < w.published_position)
    ORDER BY w.published_position DESC LIMIT %(limit)s
"""

# A line counts whoever remixed it once, and not its own author.
LINES = """
    SELECT line.root_id AS video_id, line.remixers
    FROM (SELECT w.root_id, count(DISTINCT w.author_id) AS remixers
          FROM videos w JOIN videos root ON root.video_id = w.root_id
          WHERE w.state = 'live' AND w.published_at > %(since)s AND w.visibility = 'public'
            AND w.remix_of IS NOT NULL AND w.author_id <> root.author_id
            AND root.visibility = 'public' AND root.labels = '{}'
          GROUP BY w.root_id ORDER BY remixers DESC, w.root_id LIMIT %(considered)s) AS line
    JOIN discoverable_videos(%(viewer_id)s) v ON v.video_id = line.root_id
    ORDER BY line.remixers DESC, v.published_position DESC LIMIT %(limit)s
"""


class Line(msgspec.Struct, frozen=True):
    """The first video of a line, and how many people have remixed the line within a week."""

    video: Card
    remixers: int


class Explored(msgspec.Struct, frozen=True):
    """What trends; but for `videos` on the first page alone. `next_cursor` is None at the end."""

    videos: list[Card]
    hashtags: list[Hashtag] = []
    creators: list[Somebody] = []
    lines: list[Line] = []
    next_cursor: str | None = None


class _Hot(msgspec.Struct, frozen=True):
    video_id: UUID
    position: int
    heat: int


class Explore:
    """Reads what trends, page by page; what has been on a page is on none of those behind it."""

    def __init__(self, reads: Reads, cards: Cards, cursors: Cursors) -> None:
        self._reads = reads
        self._cards = cards
        self._cursors = cursors

    async def page(self, viewer_id: UUID | None, limit: int, cursor: str | None) -> Explored:
        """Return a page for a viewer, or a visitor (None).

        Raises:
            CursorInvalid: it was not given for this viewer.
        """
        listing, now = f"explore:{viewer_id}", datetime.now(UTC)
        shown = cast("tuple[int, ...]", self._cursors.read(listing, cursor) or ())
        hot = await self._hot(viewer_id, now)
        before = set(shown)
        left = [place for place in hot if place.position not in before]
        left = left[: TRENDING_MAX - len(shown)]
        page = left[:limit]
        videos = await self._cards.shown_to(
            viewer_id, [p.video_id for p in page], now=int(now.timestamp())
        )
        after = None
        if len(left) > limit:
            after = self._cursors.write(listing, (*shown, *(place.position for place in page)))
        if cursor is not None:
            return Explored(videos=videos, next_cursor=after)
        return Explored(
            videos=videos,
            hashtags=await self._hashtags(hot),
            creators=await self._fresh(viewer_id),
            lines=await self._lines(viewer_id, now),
            next_cursor=after,
        )

    async def _hot(self, viewer_id: UUID | None, now: datetime) -> list[_Hot]:
        params: dict[str, Any] = {
            "viewer_id": viewer_id,
            "hour": int(now.timestamp()) // 3600,
            "decay": DECAY,
            "considered": CONSIDERED,
            **WEIGHTS,
        }
        return await self._reads.many(_Hot, TRENDING, params)

    async def _hashtags(self, hot: Sequence[_Hot]) -> list[Hashtag]:
        params = {
            "video_ids": [place.video_id for place in hot],
            "heats": [place.heat for place in hot],
            "limit": BESIDE_MAX,
        }
        return await self._reads.many(Hashtag, HASHTAGS, params)

    async def _fresh(self, viewer_id: UUID | None) -> list[Somebody]:
        params = {"viewer_id": viewer_id, "considered": CONSIDERED, "limit": BESIDE_MAX}
        return await self._reads.many(Somebody, FRESH, params)

    async def _lines(self, viewer_id: UUID | None, now: datetime) -> list[Line]:
        since = now - timedelta(days=LINES_DAYS)
        params = {
            "viewer_id": viewer_id,
            "since": since,
            "considered": CONSIDERED,
            "limit": BESIDE_MAX,
        }
        found = await self._reads.many(_Root, LINES, params)
        roots = [root.video_id for root in found]
        cards = await self._cards.shown_to(viewer_id, roots, now=int(now.timestamp()))
        remixers = {root.video_id: root.remixers for root in found}
        return [Line(card, remixers[card.video_id]) for card in cards]


class _Root(msgspec.Struct, frozen=True):
    video_id: UUID
    remixers: int
