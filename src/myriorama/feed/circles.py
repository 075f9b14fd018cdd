"""Circles: whose videos each viewer wants to see, and whose never; of recent viewers, in memory."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.feed.readings import Readings
from myriorama.feed.timeline import Glance, Indexes, Timeline
from myriorama.feed.tops import Top

# Both sides of a block count, one side of everything else. Who is of age stands there themselves.
RELATED = """
    SELECT uuid_send(other_id), follows, blocks OR mutes FROM relations
    WHERE account_id = %(viewer_id)s AND (follows OR blocks OR mutes)
    UNION ALL
    SELECT uuid_send(account_id), false, true FROM relations
    WHERE other_id = %(viewer_id)s AND blocks
    UNION ALL
    SELECT uuid_send(account_id), true, false FROM accounts
    WHERE account_id = %(viewer_id)s AND is_of_age(account_id)
"""


@dataclass(slots=True)
class Circle:
    """Authors, by their numbers in the timeline; the viewer follows themselves.

    `glance` is what the viewer last saw at the top, and `top` what that came to: a following feed
    is mostly asked for again before anybody in it has published.
    """

    shown: Indexes
    hidden: frozenset[int]
    is_of_age: bool
    glance: Glance | None = None
    top: Top | None = None


class Circles:
    """Reads a viewer's circle when it is first asked for, and keeps it until it changes."""

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        timeline: Timeline,
        *,
        count_max: int = 20_000,
    ) -> None:
        self._pool = pool
        self._timeline = timeline
        self._count_max = count_max
        self._kept: OrderedDict[bytes, Circle] = OrderedDict()
        self._readings = Readings()

    async def of(self, viewer_id: bytes) -> Circle:
        """Return the circle of a viewer as it is now, or somewhat newer."""
        circle = self._kept.get(viewer_id)
        if circle is not None:
            self._kept.move_to_end(viewer_id)
            return circle
        with self._readings.begin() as changed:
            circle = await self._read(viewer_id)
        if viewer_id not in changed:
            self._kept[viewer_id] = circle
            if len(self._kept) > self._count_max:
                self._kept.popitem(last=False)
        return circle

    def forget(self, viewer_ids: Collection[bytes]) -> None:
        """Drop circles that have changed."""
        for viewer_id in viewer_ids:
            self._kept.pop(viewer_id, None)
        self._readings.change(viewer_ids)

    async def _read(self, viewer_id: bytes) -> Circle:
        async with self._pool.connection() as connection:
            parameters = {"viewer_id": UUID(bytes=viewer_id)}
            rows = await (await connection.execute(RELATED, parameters)).fetchall()
        number = self._timeline.author
        shown = {number(viewer_id)} | {number(other) for other, follows, _ in rows if follows}
        hidden = frozenset(number(other) for other, _, hides in rows if hides)
        is_of_age = any(other == viewer_id for other, _, _ in rows)
        return Circle(np.array(sorted(shown - hidden), np.int64), hidden, is_of_age)
