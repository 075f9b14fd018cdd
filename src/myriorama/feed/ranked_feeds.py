"""Ranked feeds: a slate is decided, then read page by page; what may not be shown now is left out.

A page is read of one slate and shares its decision. What is left of a slate when it does not fill
half a page any more is given up, and a new slate read, which was decided while the viewer looked at
the page before: so nothing has to be kept for later, nobody who reads on waits for a decision, and
who asks for the same page again is given the same again. A viewer's pages are made one after the
other, on however many devices they scroll: each knows what the others have shown.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

from domain.errors import Invalid
from myriorama.feed.ahead import Ahead
from myriorama.feed.encoded_cards import warned
from myriorama.feed.feeds import Feeds
from myriorama.feed.ranking import DROPPED, Asked, Decided, Ranking
from myriorama.feed.served import Served
from myriorama.feed.slates import RankedSlate, Slates
from myriorama.feed.timeline import END
from myriorama.store.identity import new_id

RankedKind = Literal["for_you", "popular"]

PLACE_MS = 86_400_000
AHEAD_MS = 600_000
"""What was decided ahead and not read for so long is too old to begin with."""

_LATEST_READ_MAX = 5


class CursorExpired(Invalid):
    """The cursor is of a page that was served more than a day ago. Begin at the top again."""


class Place(NamedTuple):
    """Where a feed goes on: in a slate, or in what is newest where there was no slate.

    `before` is the place in the slate, or the position in what is newest.
    """

    decision_id: bytes | None
    before: int


class RankedPage(NamedTuple):
    """A page: its videos, their cards, open at the end, and where the next page is, if anywhere.

    `feed` is the kind that is logged; `ranking` how the slate was decided of which nothing was read
    before; `degraded` why it is not ranked as it should be.
    """

    decision_id: bytes
    feed: str
    before: int | None
    video_ids: list[bytes]
    cards: list[bytes]
    place: Place | None
    ranking: str | None
    degraded: str | None

    @classmethod
    def of(cls, slate: RankedSlate, offset: int) -> "RankedPage":
        """Return the page of a slate that begins at a place, and has nothing on it yet."""
        before = offset or None
        return cls(slate.decision_id, slate.kind, before, [], [], None, None, slate.degraded)


class RankedFeeds:
    """The ranked feeds of all viewers. Lives in one event loop."""

    def __init__(self, feeds: Feeds, ranking: Ranking, slates: Slates) -> None:
        self._feeds = feeds
        self._ranking = ranking
        self._slates = slates
        self._served = Served()
        self._ahead = Ahead(ranking.idle)
        self._turns = WeakValueDictionary[bytes, asyncio.Lock]()

    def close(self) -> None:
        """Decide nothing ahead any more."""
        self._ahead.close()

    def was_shown(self, viewer_id: bytes, video_ids: Sequence[bytes], decision_id: bytes) -> None:
        """Remember what a feed that is not ranked has shown: it is not to come again at once."""
        now_ms = time.time_ns() // 1_000_000
        self._served.add(viewer_id, video_ids, at_ms=now_ms, decision_id=decision_id)

    async def page(
        self, viewer_id: bytes, kind: RankedKind, place: Place | None, *, limit: int
    ) -> RankedPage:
        """Return the page that begins at a place, at the top if there is none.

        Raises:
            CursorExpired: the place is of another day.
        """
        now_ms = time.time_ns() // 1_000_000
        asked = Asked(viewer_id, kind, now_ms)
        if (
            place is not None
            and place.decision_id is not None
            and int.from_bytes(place.decision_id[:6]) < now_ms - PLACE_MS
        ):
            raise CursorExpired("The cursor is older than a day: begin at the top again.")
        async with self._turns.setdefault(viewer_id, asyncio.Lock()):
            slate, page = None, None
            if place is not None and place.decision_id is not None:
                slate, page = await self._going_on(asked, place.decision_id, place.before, limit)
            if page is None:
                page = await self._begun(asked, slate, place, limit)
            self._served.add(viewer_id, page.video_ids, at_ms=now_ms, decision_id=page.decision_id)
        self._look_ahead(asked, page, limit)
        return page._replace(ranking=self._slates.untold(page.decision_id))

    async def _going_on(
        self, asked: Asked, decision_id: bytes, offset: int, limit: int
    ) -> tuple[RankedSlate | None, RankedPage | None]:
        """Return the slate if it is known, and its page if there is enough left for one."""
        slate = await self._slates.of(decision_id, asked.viewer_id)
        if slate is None:
            return None, None
        self._recall(asked, slate, offset)
        await self._ahead.settle(_end_of(slate, offset))
        successor = self._slates.kept(slate.following.get(offset, b""))
        if successor is not None and not _is_too_old(successor, asked.as_of_ms):
            page = await self._enough(asked, successor, 0, limit)
            if page is not None:
                return slate, page
        # Whoever has taken back what they said is shown again what was there before.
        return slate, await self._enough(asked, slate, offset, limit)

    async def _enough(
        self, asked: Asked, slate: RankedSlate, offset: int, limit: int
    ) -> RankedPage | None:
        """Return a page of a slate, None if it comes to less than half while there may be more."""
        page = await self._read(asked, slate, offset, limit)
        if page is not None and slate.is_full and len(page.video_ids) < _half(limit):
            return None
        return page

    def _look_ahead(self, asked: Asked, page: RankedPage, limit: int) -> None:
        """Have the next slate decided if what is left of this one is not enough for a page."""
        place = page.place
        slate = None if place is None else self._slates.kept(place.decision_id or b"")
        if place is None or slate is None or not slate.is_full:
            return
        if len(slate.video_ids) - place.before >= _half(limit) or place.before in slate.following:
            return

        async def decide() -> None:
            decided = await self._decided(asked._replace(as_of_ms=time.time_ns() // 1_000_000))
            if decided.slate is not None:
                slate.following[place.before] = decided.slate.decision_id

        self._ahead.begin(_end_of(slate, place.before), decide)

    async def _decided(self, asked: Asked) -> Decided:
        """Decide on a slate by what the viewer was shown until now, and keep it."""
        asked = asked._replace(shown=self._served.to(asked.viewer_id, at_ms=asked.as_of_ms))
        decided = await self._ranking.decide(asked, new_id())
        if decided.slate is not None:
            self._slates.put(decided.slate)
            await self._feeds.read_ahead(decided.slate.video_ids, now=asked.as_of_ms // 1000)
        return decided

    async def _begun(
        self, asked: Asked, before: RankedSlate | None, place: Place | None, limit: int
    ) -> RankedPage:
        """Return the first page of a new slate, or of what is newest if there can be none."""
        slate, degraded = await self._decided(asked)
        if slate is None:
            at = place.before if place is not None and place.decision_id is None else END
            return await self._latest(asked, at, limit, degraded)
        if before is not None and place is not None:
            before.following[place.before] = slate.decision_id
        page = await self._read(asked, slate, 0, limit)
        if page is None:  # steered in this very moment: the next page knows
            page = RankedPage.of(slate, 0)
        return page

    def _recall(self, asked: Asked, slate: RankedSlate, offset: int) -> None:
        """Remember what was read of a slate elsewhere: in another process, or before this one."""
        viewer_id, at_ms = asked.viewer_id, asked.as_of_ms
        unknown = [
            video_id
            for video_id in slate.video_ids[:offset]
            if self._served.by(viewer_id, video_id, at_ms=at_ms) is None
        ]
        if unknown:
            self._served.add(viewer_id, unknown, at_ms=at_ms, decision_id=slate.decision_id)

    async def _read(
        self, asked: Asked, slate: RankedSlate, offset: int, limit: int
    ) -> RankedPage | None:
        """Read a slate from a place on; what may not be shown any more is passed over.

        So is what another slate has shown since this one was decided.

        None if the viewer steers otherwise by now: the rest of the slate is not what they want.
        """
        page = RankedPage.of(slate, offset)
        at, end = offset, len(slate.video_ids)
        while at < end and len(page.cards) < limit:
            some = slate.video_ids[at : at + limit - len(page.cards)]
            at += len(some)
            looked = await self._ranking.look_again(asked, slate, some)
            if looked.is_steered_otherwise:
                return None
            shown = await self._feeds.shown(asked.viewer_id, some, now=asked.as_of_ms // 1000)
            for video_id, card, rule in zip(some, shown, looked.rules, strict=True):
                by = self._served.by(asked.viewer_id, video_id, at_ms=asked.as_of_ms)
                is_new = by is None or by == slate.decision_id
                if card is not None and rule != DROPPED and is_new:
                    page.video_ids.append(video_id)
                    page.cards.append(card if rule is None else warned(card, rule))
        has_more = at < end or slate.is_full
        return page._replace(place=Place(slate.decision_id, at) if has_more else None)

    async def _latest(
        self, asked: Asked, before: int, limit: int, degraded: str | None
    ) -> RankedPage:
        """Return what is newest and was not shown lately."""
        video_ids, cards = list[bytes](), list[bytes]()
        shown, at = set(self._served.to(asked.viewer_id, at_ms=asked.as_of_ms)), before
        after: int | None = before
        for _ in range(_LATEST_READ_MAX):
            slate = await self._feeds.slate(
                asked.viewer_id,
                "latest",
                before=at,
                limit=limit - len(cards),
                now=asked.as_of_ms // 1000,
            )
            for video_id, card in zip(slate.video_ids, slate.cards, strict=True):
                if video_id not in shown:
                    video_ids.append(video_id)
                    cards.append(card)
            after = slate.before
            if after is None or len(cards) >= limit:
                break
            at = after
        return RankedPage(
            new_id().bytes,
            "latest",
            None if before == END else before,
            video_ids,
            cards,
            None if after is None else Place(None, after),
            None,
            degraded,
        )


def place_of(fields: Sequence[str | int]) -> Place:
    """Read the place that a cursor carries."""
    decision_id, before = fields
    is_latest = decision_id == ""
    # Nothing lies before the first: whatever a cursor says, a page begins there at the earliest.
    return Place(None if is_latest else UUID(str(decision_id)).bytes, max(int(before), 0))


def fields_of(place: Place) -> tuple[str | int, ...]:
    """Return what a cursor is to carry of a place."""
    return ("" if place.decision_id is None else place.decision_id.hex(), place.before)


def _half(limit: int) -> int:
    return (limit + 1) // 2


def _end_of(slate: RankedSlate, offset: int) -> bytes:
    """Name a place in a slate."""
    return slate.decision_id + offset.to_bytes(4)


def _is_too_old(slate: RankedSlate, now_ms: int) -> bool:
    """Tell whether a slate was decided long ago and nothing of it was read."""
    return slate.ranking is not None and slate.decided_ms < now_ms - AHEAD_MS
