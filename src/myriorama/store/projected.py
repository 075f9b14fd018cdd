"""How far the projections have come, as one API process hears it."""

import asyncio
from collections.abc import Callable, Sequence

import psycopg
import structlog

logger = structlog.get_logger(__name__)

_POLL_S = 1.0
_POSITIONS = "SELECT name, position FROM projection_positions"


class Projected:
    """Follows the projections' positions, for those who wait until their own write is visible.

    Lives in one event loop: `run` is a task of it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._positions: dict[str, int] = {}
        self._changed = asyncio.Condition()
        self._watchers: list[tuple[frozenset[str], Callable[[], None]]] = []

    def watch(self, names: Sequence[str], wake: Callable[[], None]) -> None:
        """Call `wake` whenever one of the named projections has moved."""
        self._watchers.append((frozenset(names), wake))

    def unwatch(self, wake: Callable[[], None]) -> None:
        self._watchers = [entry for entry in self._watchers if entry[1] != wake]

    async def reached(self, position: int, names: Sequence[str], *, timeout_s: float) -> bool:
        """Return True once all named projections have folded up to `position`, False if late."""

        def there() -> bool:
            return all(self._positions.get(name, 0) >= position for name in names)

        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(there)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Listen until cancelled. The notification is a hint, the poll the guarantee."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True
                ) as connection:
                    await connection.execute("LISTEN projected")
                    while True:
                        rows = await (await connection.execute(_POSITIONS)).fetchall()
                        await self._move({str(name): int(position) for name, position in rows})
                        async for heard in connection.notifies(timeout=_POLL_S):
                            name, _, position = heard.payload.rpartition(":")
                            await self._move({name: int(position)})
            except psycopg.OperationalError as error:
                logger.warning("positions wait for PostgreSQL", error=str(error))
                await asyncio.sleep(_POLL_S)

    async def _move(self, positions: dict[str, int]) -> None:
        moved = {n for n, position in positions.items() if self._positions.get(n) != position}
        if not moved:
            return
        self._positions.update(positions)
        async with self._changed:
            self._changed.notify_all()
        for names, wake in list(self._watchers):
            if names & moved:
                wake()
