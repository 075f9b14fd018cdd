"""Slots: what ads must know of the videos of a page, of those that are shown lately, in memory.

What is not in memory is not known to be safe, and no ad stands beside it: it is read for the next
page, and this one does not wait.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

import structlog
from msgspec.structs import replace
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ads.page import Safety, Slot
from domain.ad_categories import CATEGORIES, SENSITIVE
from domain.words import MARKS, folded
from myriorama.feed.label_rules import LabelRules
from myriorama.store.projected import Projected

logger = structlog.get_logger(__name__)

_NEWEST = """
    SELECT position, uuid_send(video_id), author_id, labels, prompt, caption FROM videos
    WHERE state = 'live' ORDER BY published_position DESC LIMIT %s
"""

_NAMED = """
    SELECT position, uuid_send(video_id), author_id, labels, prompt, caption FROM videos
    WHERE state = 'live' AND video_id = ANY(%s)
"""

_MOVED = "SELECT position, uuid_send(video_id) FROM videos WHERE position > %s"

_HEAD = "SELECT coalesce(max(position), 0) FROM videos"

_WORD = re.compile(rf"[\w{MARKS}]+")
_WORDS_MAX = 200
_NEWEST_MAX = 5_000
_AT_ONCE = 200


class AdSlots:
    """Keeps the slots of the newest videos, and of those that were asked for. In one event loop.

    Nothing is read before the first page asks: a house without ads has no work with them.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        *,
        count_max: int = 20_000,
    ) -> None:
        self._pool = pool
        self._count_max = count_max
        self._kept: OrderedDict[bytes, Slot] = OrderedDict()
        self._rules = LabelRules({}, {})
        self._seen = 0
        self._changes = 0
        self._is_loaded = False
        self._wanted: dict[bytes, None] = {}
        self._reading: asyncio.Task[None] | None = None

    def of_page(self, video_ids: Sequence[bytes], *, ranked: bool) -> list[Slot]:
        """Return the slots of a page; what is not known is read, and unsafe until then.

        A video of a ranked page is worth the more, the further up it stands; otherwise all are
        worth the same.
        """
        kept, count = self._kept, len(video_ids)
        slots = list[Slot]()
        for place, video_id in enumerate(video_ids):
            slot = kept.get(video_id)
            if slot is None:
                self._wanted[video_id] = None
                slot = Slot(UUID(bytes=video_id), UUID(int=0), worth=1.0)
            if ranked:
                slot = replace(slot, worth=2 * (count - place) / (count + 1))
            slots.append(slot)
        if self._wanted and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read_missing())
        return slots

    def follow(self, projected: Projected) -> None:
        """Keep the slots as the projections are."""
        projected.refresh(["videos"], self.refresh_videos)
        projected.refresh(["rankings"], self.load_again)
        projected.reload(["videos", "rankings"], self.load_again)

    async def load_again(self) -> None:
        """Load, if anything was loaded before."""
        if self._is_loaded:
            await self.load()

    async def load(self) -> None:
        """Read the rules of labels, and the newest videos; what was in memory before goes."""
        async with self._pool.connection() as connection:
            head = await (await connection.execute(_HEAD)).fetchone()
            rules = await LabelRules.read(connection)
            cursor = await connection.execute(_NEWEST, (min(_NEWEST_MAX, self._count_max),))
            kept: OrderedDict[bytes, Slot] = OrderedDict()
            while rows := await cursor.fetchmany(_AT_ONCE):
                for _, video_id, *row in rows:
                    kept[video_id] = slot_of(UUID(bytes=video_id), *row, rules=rules)
                await asyncio.sleep(0)
        # The newest go last when there is no room.
        for video_id in reversed(list(kept)):
            kept.move_to_end(video_id)
        self._changes += 1
        self._kept, self._rules = kept, rules
        self._seen = head[0] if head else 0
        self._is_loaded = True
        # What has moved while it was read may have been told already.
        await self.refresh_videos()

    async def refresh_videos(self) -> None:
        """Read what is known of videos that have changed, or are new."""
        if not self._is_loaded:
            return
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_MOVED, (self._seen,))).fetchall()
        self._changes += 1
        self._seen = max((row[0] for row in rows), default=self._seen)
        moved = [row[1] for row in rows]
        for video_id in moved:
            self._kept.pop(video_id, None)
        for some in range(0, len(moved), _AT_ONCE):
            await self._read(moved[some : some + _AT_ONCE])

    async def _read_missing(self) -> None:
        try:
            if not self._is_loaded:
                await self.load()
            for video_id in self._kept.keys() & self._wanted.keys():
                del self._wanted[video_id]
            while self._wanted:
                some = list(self._wanted)[:_AT_ONCE]
                await self._read(some)
                for video_id in some:
                    self._wanted.pop(video_id, None)
        except (OperationalError, PoolTimeout) as error:
            self._wanted.clear()
            logger.warning("videos are not read for ads", error=str(error))

    async def _read(self, video_ids: Sequence[bytes]) -> None:
        changes = self._changes
        ids = [UUID(bytes=video_id) for video_id in video_ids]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_NAMED, (ids,))).fetchall()
        if changes != self._changes:  # what was read may be what has just changed
            return
        for _, video_id, *row in rows:
            self._kept[video_id] = slot_of(UUID(bytes=video_id), *row, rules=self._rules)
            self._kept.move_to_end(video_id)
        while len(self._kept) > self._count_max:
            self._kept.popitem(last=False)


def slot_of(  # noqa: PLR0913 - all that is known of a video
    video_id: UUID,
    author_id: UUID,
    labels: Sequence[str],
    prompt: str,
    caption: str,
    *,
    rules: LabelRules,
) -> Slot:
    """Return what ads must know of a video.

    Nothing is published that the screening has not looked at. A moderator's label makes it unsafe
    if anybody is warned of it or not shown it, and limited otherwise.
    """
    words = _WORD.findall(folded(f"{prompt} {caption}"))[:_WORDS_MAX]
    pairs = (f"{first} {second}" for first, second in pairwise(words))
    keywords = frozenset([*words, *pairs])
    named = sorted(keywords & SENSITIVE) or sorted(keywords & CATEGORIES)
    safety: Safety = "safe"
    if labels:
        is_plain = all(
            verdicts.get(label) == "allow"
            for label in labels
            for verdicts in (rules.adult, rules.minor)
        )
        safety = "limited" if is_plain else "unsafe"
    return Slot(video_id, author_id, named[0] if named else None, keywords, safety, 1.0)
