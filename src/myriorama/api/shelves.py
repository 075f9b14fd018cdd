"""Lists of videos, page by page, each as far as the one who asks may see it."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from domain.video.errors import VideoNotFound
from myriorama.api.newest_first import NewestFirst
from myriorama.api.paging import Cursors, Page
from myriorama.api.people import find_account
from myriorama.api.reads import Reads
from myriorama.feed.cards import Card, Cards

ANCESTORS_MAX = 100
NEWEST_REMIXES = 20

SEEN = """
    SELECT v.version, coalesce(r.liked, false) AS liked,
           coalesce(r.bookmarked, false) AS bookmarked, coalesce(f.follows, false) AS following
    FROM shown_videos(%(viewer_id)s) v
    LEFT JOIN reactions r ON r.account_id = %(viewer_id)s AND r.video_id = v.video_id
    LEFT JOIN relations f ON f.account_id = %(viewer_id)s AND f.other_id = v.author_id
    WHERE v.video_id = %(of_id)s
"""

BY_AUTHOR = """
    SELECT video_id, published_position AS position FROM listed_videos(%(viewer_id)s)
    WHERE author_id = %(of)s AND published_position < %(before)s
    ORDER BY published_position DESC LIMIT %(limit)s
"""

REMIXES = """
    SELECT video_id, published_position AS position FROM listed_videos(%(viewer_id)s)
    WHERE remix_of = %(of)s AND published_position < %(before)s
    ORDER BY published_position DESC LIMIT %(limit)s
"""

BOOKMARKS = """
    SELECT v.video_id, r.bookmarked_position AS position
    FROM reactions r JOIN shown_videos(%(viewer_id)s) v ON v.video_id = r.video_id
    WHERE r.account_id = %(of)s AND r.bookmarked AND r.bookmarked_position < %(before)s
    ORDER BY r.bookmarked_position DESC LIMIT %(limit)s
"""

# All ancestors are walked, for a line does not end where somebody may not look.
ANCESTORS = """
    WITH RECURSIVE line (video_id, remix_of, depth, steps) AS (
        SELECT p.video_id, p.remix_of, p.depth, 1
        FROM videos v JOIN videos p ON p.video_id = v.remix_of WHERE v.video_id = %(of_id)s
        UNION ALL
        SELECT p.video_id, p.remix_of, p.depth, line.steps + 1
        FROM line JOIN videos p ON p.video_id = line.remix_of WHERE line.steps < %(limit)s
    )
    SELECT line.video_id, line.depth, v.video_id IS NOT NULL AS shown
    FROM line LEFT JOIN listed_videos(%(viewer_id)s) v ON v.video_id = line.video_id
    ORDER BY line.depth
"""


class Seen(msgspec.Struct, frozen=True):
    """That a video may be seen, in which version, and what the viewer made of it."""

    version: int
    liked: bool
    bookmarked: bool
    following: bool


class Ancestor(msgspec.Struct, frozen=True):
    """One step of a lineage. `video` is null if it was deleted, or you may not see it."""

    depth: int
    video: Card | None


class Lineage(msgspec.Struct, frozen=True):
    """Where a video comes from, the root first, and the newest of what was made of it."""

    ancestors: list[Ancestor]
    remixes: list[Card]


async def require_visible(reads: Reads, video_id: UUID, viewer_id: UUID | None) -> Seen:
    """Let pass who may see a video (None: a visitor), and tell what they made of it.

    Raises:
        VideoNotFound: there is none, or they may not see it.
    """
    seen = await reads.one(Seen, SEEN, {"of_id": video_id, "viewer_id": viewer_id})
    if seen is None:
        raise VideoNotFound("There is no such video.")
    return seen


class Shelves:
    """Reads lists of videos, and the line that a video stands in."""

    def __init__(self, reads: Reads, cards: Cards, cursors: Cursors) -> None:
        self._reads = reads
        self._cards = cards
        self._lists = NewestFirst(reads, cards, cursors)

    async def by_author(
        self, handle: str, viewer_id: UUID | None, limit: int, cursor: str | None
    ) -> Page[Card]:
        """Return videos of the account that has the handle, newest first.

        Raises:
            AccountNotFound: there is none, or none for this viewer.
        """
        author_id = await find_account(self._reads, handle, viewer_id)
        listing = f"videos:{author_id}"
        return await self._lists.page(listing, BY_AUTHOR, author_id, viewer_id, limit, cursor)

    async def remixes(
        self, video_id: UUID, viewer_id: UUID | None, limit: int, cursor: str | None
    ) -> Page[Card]:
        """Return videos that remix the video itself, newest first.

        Raises:
            VideoNotFound: there is none, or the viewer may not see it.
        """
        await require_visible(self._reads, video_id, viewer_id)
        listing = f"remixes:{video_id}"
        return await self._lists.page(listing, REMIXES, video_id, viewer_id, limit, cursor)

    async def bookmarks(self, viewer_id: UUID, limit: int, cursor: str | None) -> Page[Card]:
        """Return videos that the viewer keeps, the last kept first."""
        listing = f"bookmarks:{viewer_id}"
        return await self._lists.page(listing, BOOKMARKS, viewer_id, viewer_id, limit, cursor)

    async def lineage(self, video_id: UUID, viewer_id: UUID | None) -> Lineage:
        """Return the nearest ancestors, the first of the line first, and the newest remixes.

        Raises:
            VideoNotFound: there is none, or the viewer may not see it.
        """
        remixes = await self.remixes(video_id, viewer_id, NEWEST_REMIXES, None)
        params = {"of_id": video_id, "viewer_id": viewer_id, "limit": ANCESTORS_MAX}
        steps = await self._reads.many(_Step, ANCESTORS, params)
        shown = await self._cards.shown_to(
            viewer_id, [s.video_id for s in steps if s.shown], now=_now()
        )
        cards = {card.video_id: card for card in shown}
        ancestors = [Ancestor(step.depth, cards.get(step.video_id)) for step in steps]
        return Lineage(ancestors=ancestors, remixes=remixes.items)


class _Step(msgspec.Struct, frozen=True):
    video_id: UUID
    depth: int
    shown: bool


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
