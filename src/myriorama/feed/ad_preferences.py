"""What each viewer said of ads: of recent viewers, in memory, until they say something else."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.feed.readings import Readings
from myriorama.store.projected import Projected

OF_VIEWER = """
    SELECT contextual_only, hidden_advertisers, hidden_categories FROM ad_preferences
    WHERE account_id = %s
"""

HEAD = "SELECT coalesce(max(position), 0) FROM ad_preferences"

MOVED = "SELECT position, uuid_send(account_id) FROM ad_preferences WHERE position > %s"


@dataclass(frozen=True, slots=True)
class AdChoices:
    """Which ads a viewer does not want, and whether age and interests may choose the others."""

    contextual_only: bool = False
    hidden_advertisers: frozenset[UUID] = frozenset()
    hidden_categories: frozenset[str] = frozenset()


NO_CHOICES = AdChoices()


class AdPreferences:
    """Reads what a viewer chose when it is first asked for, and keeps it until it changes.

    Lives in one event loop; `load` comes first.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        *,
        count_max: int = 50_000,
    ) -> None:
        self._pool = pool
        self._count_max = count_max
        self._kept: OrderedDict[bytes, AdChoices] = OrderedDict()
        self._readings = Readings()
        self._seen = 0

    async def load(self) -> None:
        """Read how far the table has come; what was in memory before goes."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(HEAD)).fetchone()
        self._seen = row[0] if row else 0
        self.forget(list(self._kept))

    def follow(self, projected: Projected) -> None:
        """Keep what is in memory as the projection is."""
        projected.refresh(["ad_preferences"], self.refresh)
        projected.reload(["ad_preferences"], self.load)

    async def refresh(self) -> None:
        """Forget the choices that have changed."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(MOVED, (self._seen,))).fetchall()
        self._seen = max((position for position, _ in rows), default=self._seen)
        self.forget([viewer_id for _, viewer_id in rows])

    def kept(self, viewer_id: bytes) -> AdChoices | None:
        """Return what a viewer chose if it is in memory."""
        return self._kept.get(viewer_id)

    async def of(self, viewer_id: bytes) -> AdChoices:
        """Return what a viewer chose, as it is now or somewhat newer."""
        choices = self._kept.get(viewer_id)
        if choices is not None:
            self._kept.move_to_end(viewer_id)
            return choices
        with self._readings.begin() as changed:
            choices = await self._read(viewer_id)
        if viewer_id not in changed:
            self._kept[viewer_id] = choices
            if len(self._kept) > self._count_max:
                self._kept.popitem(last=False)
        return choices

    def forget(self, viewer_ids: Collection[bytes]) -> None:
        """Drop choices that have changed."""
        for viewer_id in viewer_ids:
            self._kept.pop(viewer_id, None)
        self._readings.change(viewer_ids)

    async def _read(self, viewer_id: bytes) -> AdChoices:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(OF_VIEWER, (UUID(bytes=viewer_id),))).fetchone()
        if row is None:
            return NO_CHOICES
        contextual_only, advertisers, categories = row
        return AdChoices(contextual_only, frozenset(advertisers), frozenset(categories))
