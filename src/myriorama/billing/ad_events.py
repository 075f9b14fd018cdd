"""The log of what apps report of ads: appended once it has arrived, settled behind that.

What comes while reports are being stored is stored by the next statement, all of it at once.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from ads.beacons import Beacon
from myriorama.store.postgres import AdvisoryLock

APPEND = """
    SELECT append_ad_events(%s, coalesce(%s, clock_ms()), %s::integer[], %s::bytea[], %s::text[])
"""

_AT_ONCE_MAX = 5_000


class Reported(NamedTuple):
    """One report, with the bytes of its genuine token; `mark`: why it counts as invalid traffic."""

    beacon: Beacon
    token: bytes
    mark: str | None = None


class AdEvents:
    """Appends to the log of one event loop."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        self._pool = pool
        self._waiting: list[tuple[Sequence[Reported], asyncio.Future[None]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def append(self, reports: Sequence[Reported]) -> None:
        """Append reports; they are durable when this returns.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there; they may have been stored. Report
                them again: each is charged once.
        """
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((reports, stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        await stored

    async def _store(self) -> None:
        while self._waiting:
            batch, rows = list[asyncio.Future[None]](), list[Reported]()
            while self._waiting and len(rows) < _AT_ONCE_MAX:
                reports, stored = self._waiting.pop(0)
                rows += reports
                batch.append(stored)
            failure: BaseException | None = None
            try:
                async with self._pool.connection() as connection:
                    await connection.execute(APPEND, append_parameters(rows))
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                failure = error
            for stored in batch:
                if stored.done():
                    continue
                if failure is None:
                    stored.set_result(None)
                else:
                    stored.set_exception(failure)


def append_parameters(rows: Sequence[Reported], *, now_ms: int | None = None) -> tuple[object, ...]:
    """Return what the statement that appends takes; without `now_ms` the database's clock holds."""
    beacons, tokens, marks = zip(*rows, strict=True)
    return (AdvisoryLock.AD_EVENTS, now_ms, [*map(int, beacons)], [*tokens], [*marks])
