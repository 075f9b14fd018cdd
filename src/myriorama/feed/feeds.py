"""Feeds: which videos a viewer is shown next, served from what this process has in memory.

Everything is read from the read side in one snapshot at the start. From then on only what has
moved since is read, before anyone who waits for the projection is released: who blocks an account
does not see it again.
"""

import asyncio
from typing import Literal, LiteralString, NamedTuple

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.feed.cards import Cards
from myriorama.feed.circles import Circles
from myriorama.feed.encoded_cards import EncodedCards
from myriorama.feed.timeline import END, Timeline
from myriorama.store.projected import Projected

logger = structlog.get_logger(__name__)

Kind = Literal["following", "latest"]

SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

VIDEOS = """
    SELECT position, published_position, uuid_send(video_id), uuid_send(author_id), visibility,
           state = 'live'
    FROM videos WHERE position > %s ORDER BY published_position
"""

RELATIONS = """
    SELECT position, uuid_send(account_id), uuid_send(other_id) FROM relations WHERE position > %s
"""

ACCOUNTS = "SELECT position, uuid_send(account_id) FROM accounts WHERE position > %s"

ENGAGEMENT = "SELECT position, uuid_send(video_id) FROM engagement_counts WHERE position > %s"

VIEWS = "SELECT position, uuid_send(video_id) FROM view_counts WHERE position > %s"

HEADS = """
    SELECT (SELECT coalesce(max(position), 0) FROM accounts),
           (SELECT coalesce(max(position), 0) FROM relations),
           (SELECT coalesce(max(position), 0) FROM engagement_counts),
           (SELECT coalesce(max(position), 0) FROM view_counts)
"""

_OTHERS = (ACCOUNTS, RELATIONS, ENGAGEMENT, VIEWS)
_CHUNK = 1000
_SEEN_BY: dict[Kind, frozenset[str]] = {
    "following": frozenset({"public", "followers"}),
    "latest": frozenset({"public"}),
}


class Slate(NamedTuple):
    """The videos of a page, and the position before which the next one begins, if there is one.

    `cards` are JSON objects, open at their end for the view token.
    """

    video_ids: list[bytes]
    cards: list[bytes]
    before: int | None


class Feeds:
    """The feeds of all viewers. Lives in one event loop; `load` comes first."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], cards: Cards) -> None:
        self._pool = pool
        self._timeline = Timeline()
        self._circles = Circles(pool, self._timeline)
        self._cards = EncodedCards(cards)
        self._seen: dict[str, int] = dict.fromkeys((VIDEOS, *_OTHERS), 0)

    async def load(self) -> None:
        """Read the timeline, and how far each table has come."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(SNAPSHOT)
            await self._refresh_videos(connection)
            heads = await (await connection.execute(HEADS)).fetchone()
        self._seen.update(zip(_OTHERS, heads or (), strict=True))
        logger.info("timeline loaded", videos=len(self._timeline))

    def follow(self, projected: Projected) -> None:
        """Keep what is in memory as the projections are."""
        projected.refresh(["videos"], self.refresh_videos)
        projected.refresh(["relations"], self.refresh_relations)
        projected.refresh(["accounts"], self.refresh_accounts)
        projected.refresh(["engagement_counts"], self.refresh_engagement)
        projected.refresh(["view_counts"], self.refresh_views)

    async def slate(
        self, viewer_id: bytes, kind: Kind, *, before: int, limit: int, now: int
    ) -> Slate:
        """Return the newest `limit` videos before a position that the viewer wants to see.

        A video that goes while its page is made is left out, so a page may be shorter.
        """
        circle = await self._circles.of(viewer_id)
        if kind == "following" and before == END:
            circle.glance = self._timeline.glance(circle.shown, limit=limit + 1, last=circle.glance)
            found = circle.glance.found
        elif kind == "following":
            found = self._timeline.by_authors(circle.shown, before=before, limit=limit + 1)
        else:
            found = self._timeline.latest(circle.hidden, before=before, limit=limit + 1)
        after = found[limit - 1] if len(found) > limit else None
        video_ids = self._timeline.video_ids(found[:limit])
        cards = await self._cards.of(video_ids, now=now)
        seen_by = _SEEN_BY[kind]
        slate = Slate([], [], after)
        for video_id, card in zip(video_ids, cards, strict=True):
            if card is not None and card.visibility in seen_by:
                slate.video_ids.append(video_id)
                slate.cards.append(card.opened)
        return slate

    async def refresh_videos(self) -> None:
        async with self._pool.connection() as connection:
            await self._refresh_videos(connection)

    async def refresh_relations(self) -> None:
        """Forget the circles that have changed; a block has two sides."""
        moved = await self._moved(RELATIONS)
        self._circles.forget({account_id for row in moved for account_id in row[1:]})

    async def refresh_accounts(self) -> None:
        self._cards.forget_authors([row[1] for row in await self._moved(ACCOUNTS)])

    async def refresh_engagement(self) -> None:
        self._cards.forget([row[1] for row in await self._moved(ENGAGEMENT)])

    async def refresh_views(self) -> None:
        self._cards.forget([row[1] for row in await self._moved(VIEWS)])

    async def _refresh_videos(self, connection: AsyncConnection[TupleRow]) -> None:
        cursor = await connection.execute(VIDEOS, (self._seen[VIDEOS],))
        upto = self._seen[VIDEOS]
        while rows := await cursor.fetchmany(_CHUNK):
            for position, published, video_id, author_id, visibility, live in rows:
                if live:
                    self._timeline.put(published, video_id, author_id, visibility)
                else:
                    self._timeline.remove(published)
                upto = max(upto, position)
            self._cards.forget([row[2] for row in rows])
            await asyncio.sleep(0)  # requests go on while a long log is caught up with
        self._seen[VIDEOS] = upto

    async def _moved(self, query: LiteralString) -> list[TupleRow]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query, (self._seen[query],))).fetchall()
        self._seen[query] = max((row[0] for row in rows), default=self._seen[query])
        return rows
