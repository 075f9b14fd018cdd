"""Exploring: what trends, whoever looks, but for what they may not or do not want to see.

Nothing of the viewer moves anything up. What trends is told by counts of whole hours and by weights
that are whole numbers, so that within the hour the same counts give the same order.
"""

from collections.abc import Mapping
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

TRENDING_MAX = 200
BESIDE_MAX = 10

WEIGHTS: Mapping[str, int] = {"like": 8, "comment": 10, "share": 15, "bookmark": 8, "remix": 30}
"""What counts how much, where whoever watched counts 1: what is made of a video counts most."""

HALF_LIFE_HOURS = 12
HOURS = 72
DECAY = [round(2**16 * 0.5 ** (age / HALF_LIFE_HOURS)) for age in range(HOURS)]

FRESH_DAYS = 14
LINES_DAYS = 7

TRENDING = Path(__file__).with_name("trending.sql").read_bytes()

VIDEOS = b"""
    SELECT video_id, position FROM hot WHERE position <> ALL(%(shown)s)
    ORDER BY heat DESC, position DESC LIMIT %(limit)s
"""

HASHTAGS = b"""
    SELECT t.tag, h.videos FROM hot
    JOIN video_hashtags t USING (video_id) JOIN hashtags h ON h.tag = t.tag
    GROUP BY t.tag, h.videos ORDER BY sum(hot.heat) DESC, t.tag LIMIT %(limit)s
"""

# Who has published in public for the first time lately, the latest first.
FRESH = """
    SELECT a.account_id, a.handle, a.display_name
    FROM videos w
    JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
    JOIN accounts a ON a.account_id = w.author_id
    LEFT JOIN relations r ON r.account_id = %(viewer_id)s AND r.other_id = w.author_id
    WHERE w.state = 'live' AND w.published_at > %(since)s AND w.visibility = 'public'
      AND w.labels = '{}' AND NOT coalesce(r.follows, false)
      AND w.author_id IS DISTINCT FROM %(viewer_id)s
      AND NOT EXISTS (SELECT FROM videos o WHERE o.author_id = w.author_id AND o.state = 'live'
                      AND o.visibility = 'public' AND o.published_position < w.published_position)
    ORDER BY w.published_position DESC LIMIT %(limit)s
"""

# A line counts whoever remixed it once, and not its own author.
LINES = """
    SELECT root.video_id, count(DISTINCT w.author_id) AS remixers
    FROM videos w
    JOIN discoverable_videos(%(viewer_id)s) v USING (video_id)
    JOIN discoverable_videos(%(viewer_id)s) root ON root.video_id = w.root_id
    WHERE w.state = 'live' AND w.published_at > %(since)s AND w.visibility = 'public'
      AND w.remix_of IS NOT NULL AND root.visibility = 'public' AND w.author_id <> root.author_id
    GROUP BY root.video_id, root.published_position
    ORDER BY remixers DESC, root.published_position DESC LIMIT %(limit)s
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
        params: dict[str, Any] = {
            "viewer_id": viewer_id,
            "hour": int(now.timestamp()) // 3600,
            "decay": DECAY,
            "shown": list(shown),
            "limit": min(limit, TRENDING_MAX - len(shown)) + 1,
            **WEIGHTS,
        }
        found = await self._reads.many(_Place, TRENDING + VIDEOS, params)
        page = found[: params["limit"] - 1]
        videos = await self._cards.by_ids([p.video_id for p in page], now=int(now.timestamp()))
        places = (*shown, *(place.position for place in page))
        more = len(found) > len(page) and len(places) < TRENDING_MAX
        after = self._cursors.write(listing, places) if more else None
        if cursor is not None:
            return Explored(videos=videos, next_cursor=after)
        params |= {"limit": BESIDE_MAX}
        return Explored(
            videos=videos,
            hashtags=await self._reads.many(Hashtag, TRENDING + HASHTAGS, params),
            creators=await self._fresh(viewer_id, now),
            lines=await self._lines(viewer_id, now),
            next_cursor=after,
        )

    async def _fresh(self, viewer_id: UUID | None, now: datetime) -> list[Somebody]:
        since = now - timedelta(days=FRESH_DAYS)
        params = {"viewer_id": viewer_id, "since": since, "limit": BESIDE_MAX}
        return await self._reads.many(Somebody, FRESH, params)

    async def _lines(self, viewer_id: UUID | None, now: datetime) -> list[Line]:
        since = now - timedelta(days=LINES_DAYS)
        params = {"viewer_id": viewer_id, "since": since, "limit": BESIDE_MAX}
        found = await self._reads.many(_Root, LINES, params)
        roots = [root.video_id for root in found]
        cards = await self._cards.by_ids(roots, now=int(now.timestamp()))
        remixers = {root.video_id: root.remixers for root in found}
        return [Line(card, remixers[card.video_id]) for card in cards]


class _Place(msgspec.Struct, frozen=True):
    video_id: UUID
    position: int


class _Root(msgspec.Struct, frozen=True):
    video_id: UUID
    remixers: int
