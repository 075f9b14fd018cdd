"""How far the projections have come, as one API process hears it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

import psycopg
import structlog

logger = structlog.get_logger(__name__)

_POLL_S = 1.0
# Who has not moved for so long, though others went ahead, stands still until somebody acts.
_STILL_S = 3.0
_POSITIONS = "SELECT name, position, edition FROM projection_positions"

Refresh = Callable[[], Awaitable[None]]


def moved(payload: str) -> tuple[int, Sequence[str]]:
    """Read a notification on `projected`: a position, and the projections that have reached it."""
    position, _, names = payload.partition(":")
    return int(position), names.split()


class Projected:
    """Follows the projections' positions, for those who wait until a write can be read.

    What a process keeps in memory of the read side is refreshed before the new position counts
    as reached: who has waited reads the same everywhere. Lives in one event loop; `run` is a task.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._positions: dict[str, int] = {}
        self._moved_at_s: dict[str, float] = {}
        self._changed = asyncio.Condition()
        self._refreshes: list[tuple[frozenset[str], Refresh]] = []
        self._editions: dict[str, int] = {}
        self._reloads: list[tuple[frozenset[str], Refresh]] = []

    def refresh(self, names: Sequence[str], refresh: Refresh) -> None:
        """Have `refresh` awaited whenever one of the named projections has moved."""
        self._refreshes.append((frozenset(names), refresh))

    def reload(self, names: Sequence[str], reload: Refresh) -> None:
        """Have `reload` awaited whenever a rebuild gave one of the projections other rows."""
        self._reloads.append((frozenset(names), reload))

    def going(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of the names for which to wait makes sense: they do not stand still."""
        first = max((self._positions.get(name, 0) for name in names), default=0)
        since_s = monotonic() - _STILL_S
        return [
            name
            for name in names
            if self._positions.get(name, 0) == first or self._moved_at_s.get(name, 0.0) > since_s
        ]

    def has_reached(self, position: int, names: Sequence[str]) -> bool:
        """Return whether all named projections have folded up to `position`, as far as is known."""
        return all(self._positions.get(name, 0) >= position for name in names)

    async def reached(self, position: int, names: Sequence[str], *, timeout_s: float) -> bool:
        """Return True once all named projections have folded up to `position`, False if late."""
        return await self._until(lambda: self.has_reached(position, names), timeout_s)

    async def moved(self, name: str, after: int, *, timeout_s: float) -> int:
        """Return the position of a projection once it is behind `after`, or when it is late."""
        await self._until(lambda: self._positions.get(name, 0) > after, timeout_s)
        return self._positions.get(name, 0)

    async def tell(self, positions: dict[str, int]) -> None:
        """Let something count as folded that this process keeps itself, beside the projections."""
        await self._move(positions)

    async def run(self) -> None:
        """Listen until cancelled. The notification is a hint, the poll the guarantee."""
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as error:
                logger.warning("positions wait for PostgreSQL", error=str(error))
                await asyncio.sleep(_POLL_S)
            except Exception:
                # Were this to end, ended sessions would go on here, and nobody would know.
                logger.exception("positions could not be followed")
                await asyncio.sleep(_POLL_S)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute("LISTEN projected")
            await connection.execute("LISTEN rebuilt")
            while True:
                rows = await (await connection.execute(_POSITIONS)).fetchall()
                await self._renew({str(name): int(edition) for name, _, edition in rows})
                await self._move({str(name): int(position) for name, position, _ in rows})
                while heard := [
                    notify async for notify in connection.notifies(timeout=_POLL_S, stop_after=1)
                ]:
                    # What came meanwhile is refreshed for once, and not one after the other.
                    heard += [notify async for notify in connection.notifies(timeout=0)]
                    if any(notify.channel == "rebuilt" for notify in heard):
                        break
                    told = [moved(notify.payload) for notify in heard]
                    await self._move({name: at for at, names in told for name in names})

    async def _renew(self, editions: dict[str, int]) -> None:
        """Read anew what came from tables that have been exchanged for others since."""
        changed = {n for n, edition in editions.items() if self._editions.get(n, 0) != edition}
        for names, reload in self._reloads:
            if names & changed:
                await reload()
        self._editions = editions

    async def _move(self, positions: dict[str, int]) -> None:
        moved = {n for n, position in positions.items() if self._positions.get(n) != position}
        if not moved:
            return
        for names, refresh in self._refreshes:
            if names & moved:
                await refresh()
        self._positions.update(positions)
        self._moved_at_s.update(dict.fromkeys(moved, monotonic()))
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, there: Callable[[], bool], timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(there)
        except TimeoutError:
            return False
        return True
