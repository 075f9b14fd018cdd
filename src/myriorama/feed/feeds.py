"""Feeds: which videos a viewer is shown next, served from what this process has in memory.

Everything is read from the read side in one snapshot at the start. From then on only what has
moved since is read, before anyone who waits for the projection is released: who blocks an account
does not see it again. Where other tables have taken the place of those that were read, everything
is read anew beside what is in memory, and replaces it at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, LiteralString

import numpy as np
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.feed.cards import Cards
from myriorama.feed.circles import Circle, Circles
from myriorama.feed.encoded_cards import EncodedCard, EncodedCards, warned
from myriorama.feed.label_rules import LabelRules
from myriorama.feed.timeline import END, Timeline
from myriorama.feed.tops import Moves, Slate, Top
from myriorama.store.projected import Projected

logger = structlog.get_logger(__name__)

Kind = Literal["following", "latest"]

SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

VIDEOS = """
    SELECT position, published_position, uuid_send(video_id), uuid_send(author_id), visibility,
           state = 'live', labels
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


@dataclass(slots=True)
class _Kept:
    """What is in memory of one edition of the read side, and how far each of its tables is seen.

    `labels` are those of the videos that have any; `rulings` counts how often these or their rules
    have moved.
    """

    timeline: Timeline
    circles: Circles
    cards: EncodedCards
    seen: dict[LiteralString, int]
    labels: dict[bytes, Sequence[str]] = field(default_factory=dict[bytes, Sequence[str]])
    label_rules: LabelRules = field(default_factory=lambda: LabelRules({}, {}))
    rulings: int = 0

    @property
    def moves(self) -> Moves:
        """How often what is in memory has moved until now."""
        return Moves(self.timeline.moves, self.cards.moves, self.rulings)


class Feeds:
    """The feeds of all viewers. Lives in one event loop; `load` comes first."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], cards: Cards) -> None:
        self._pool = pool
        self._read_cards = cards
        self._kept = self._nothing()

    async def load(self) -> None:
        """Read the timeline, and how far each table has come; what was in memory before goes."""
        kept = self._nothing()
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(SNAPSHOT)
            await _refresh_videos(connection, kept)
            kept.label_rules = await LabelRules.read(connection)
            heads = await (await connection.execute(HEADS)).fetchone()
        kept.seen.update(zip(_OTHERS, heads or (), strict=True))
        self._kept = kept
        logger.info("timeline loaded", videos=len(kept.timeline))

    def follow(self, projected: Projected) -> None:
        """Keep what is in memory as the projections are."""
        projected.refresh(["videos"], self.refresh_videos)
        projected.refresh(["relations"], self.refresh_relations)
        projected.refresh(["accounts"], self.refresh_accounts)
        projected.refresh(["engagement_counts"], self.refresh_engagement)
        projected.refresh(["view_counts"], self.refresh_views)
        projected.refresh(["rankings"], self.refresh_label_rules)
        projected.reload(
            ["videos", "relations", "accounts", "engagement_counts", "view_counts", "rankings"],
            self.load,
        )

    async def slate(
        self, viewer_id: bytes, kind: Kind, *, before: int, limit: int, now: int
    ) -> Slate:
        """Return the newest `limit` videos before a position that the viewer wants to see.

        A video that goes while its page is made is left out, so a page may be shorter.
        """
        kept = self._kept
        timeline = kept.timeline
        circle = await kept.circles.of(viewer_id)
        if kind == "following" and before == END:
            return await _top(kept, viewer_id, circle, limit=limit, now=now)
        if kind == "following":
            found = timeline.by_authors(circle.shown, before=before, limit=limit + 1)
        else:
            found = timeline.latest(circle.hidden, before=before, limit=limit + 1)
        after = found[limit - 1] if len(found) > limit else None
        video_ids = timeline.video_ids(found[:limit])
        cards = await kept.cards.of(video_ids, now=now)
        return _slate(kept, viewer_id, circle, kind, video_ids, cards, after)

    async def shown(
        self, viewer_id: bytes, video_ids: Sequence[bytes], *, now: int
    ) -> list[bytes | None]:
        """Return the cards of videos that the viewer may and wants to see now, None for the others.

        Cards are JSON objects, open at their end for the view token. Whoever ranked the videos
        tells which of them a warning stands before.
        """
        kept = self._kept
        timeline = kept.timeline
        circle = await kept.circles.of(viewer_id)
        cards = await kept.cards.of(video_ids, now=now)
        found: list[bytes | None] = []
        for video_id, card in zip(video_ids, cards, strict=True):
            is_shown = card is not None and timeline.author(card.author_id) not in circle.hidden
            if card is not None and is_shown and card.visibility == "followers":
                is_shown = bool(np.isin(timeline.author(card.author_id), circle.shown))
            elif card is not None and is_shown:
                is_shown = card.visibility == "public"
            if is_shown and (labels := kept.labels.get(video_id)) is not None:
                is_shown = not kept.label_rules.withholds(labels, is_of_age=circle.is_of_age)
            found.append(card.opened if card is not None and is_shown else None)
        return found

    async def read_ahead(self, video_ids: Sequence[bytes], *, now: int) -> None:
        """Read the cards of what is to be shown soon: in one round trip, not in one a page."""
        await self._kept.cards.of(video_ids, now=now)

    async def refresh_videos(self) -> None:
        async with self._pool.connection() as connection:
            await _refresh_videos(connection, self._kept)

    async def refresh_relations(self) -> None:
        """Forget the circles that have changed; a block has two sides."""
        moved = await self._moved(RELATIONS)
        self._kept.circles.forget({account_id for row in moved for account_id in row[1:]})

    async def refresh_accounts(self) -> None:
        """Forget how the accounts are shown, and that somebody was not known to be of age."""
        moved = [row[1] for row in await self._moved(ACCOUNTS)]
        self._kept.cards.forget_authors(moved)
        self._kept.circles.forget(moved)

    async def refresh_label_rules(self) -> None:
        kept = self._kept
        async with self._pool.connection() as connection:
            kept.label_rules = await LabelRules.read(connection)
        kept.rulings += 1

    async def refresh_engagement(self) -> None:
        self._kept.cards.forget([row[1] for row in await self._moved(ENGAGEMENT)])

    async def refresh_views(self) -> None:
        self._kept.cards.forget([row[1] for row in await self._moved(VIEWS)])

    async def _moved(self, query: LiteralString) -> list[TupleRow]:
        seen = self._kept.seen
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query, (seen[query],))).fetchall()
        seen[query] = max((row[0] for row in rows), default=seen[query])
        return rows

    def _nothing(self) -> _Kept:
        timeline = Timeline()
        circles, cards = Circles(self._pool, timeline), EncodedCards(self._read_cards)
        return _Kept(timeline, circles, cards, dict.fromkeys((VIDEOS, *_OTHERS), 0))


async def _refresh_videos(connection: AsyncConnection[TupleRow], kept: _Kept) -> None:
    cursor = await connection.execute(VIDEOS, (kept.seen[VIDEOS],))
    upto = kept.seen[VIDEOS]
    while rows := await cursor.fetchmany(_CHUNK):
        for position, published, video_id, author_id, visibility, live, labels in rows:
            known = kept.labels.pop(video_id, None)
            if live and labels:
                kept.labels[video_id] = labels
            kept.rulings += kept.labels.get(video_id) != known
            if live:
                kept.timeline.put(published, video_id, author_id, visibility)
            else:
                kept.timeline.remove(published)
            upto = max(upto, position)
        kept.cards.forget([row[2] for row in rows])
        await asyncio.sleep(0)  # requests go on while a long log is caught up with
    kept.seen[VIDEOS] = upto


async def _top(kept: _Kept, viewer_id: bytes, circle: Circle, *, limit: int, now: int) -> Slate:
    """Return the first page of who is followed: as it was, if all holds that it was made of."""
    top, moves = circle.top, kept.moves
    if top is not None and top.stands(moves, limit=limit, now=now):
        return top.slate
    glance = kept.timeline.glance(circle.shown, limit=limit, last=circle.glance)
    if top is not None and top.holds(glance, kept.cards.kept(glance.video_ids), moves, now=now):
        circle.top = top._replace(moves=moves)
        return top.slate
    circle.glance = glance
    cards = await kept.cards.of(glance.video_ids, now=now)
    slate = _slate(kept, viewer_id, circle, "following", glance.video_ids, cards, glance.after)
    circle.top = Top.of(slate, glance, cards, moves)
    return slate


def _slate(  # noqa: PLR0913, PLR0917 - what is shown to whom, and out of what
    kept: _Kept,
    viewer_id: bytes,
    circle: Circle,
    kind: Kind,
    video_ids: Sequence[bytes],
    cards: Sequence[EncodedCard | None],
    after: int | None,
) -> Slate:
    """Leave out what the viewer may not see, and put warnings before what they are warned of."""
    seen_by = _SEEN_BY[kind]
    if kept.labels.keys().isdisjoint(video_ids):  # so it is with most pages
        plain = [card.opened for card in cards if card is not None and card.visibility in seen_by]
        if len(plain) == len(video_ids):
            return Slate(video_ids, plain, after)
    shown, opened = list[bytes](), list[bytes]()
    for video_id, card in zip(video_ids, cards, strict=True):
        if card is None or card.visibility not in seen_by:
            continue
        labels = kept.labels.get(video_id)
        rule = None
        if labels is not None and card.author_id != viewer_id:
            if kept.label_rules.withholds(labels, is_of_age=circle.is_of_age):
                continue
            rule = kept.label_rules.warning(labels, is_of_age=circle.is_of_age)
        shown.append(video_id)
        opened.append(card.opened if rule is None else warned(card.opened, rule))
    return Slate(shown, opened, after)
