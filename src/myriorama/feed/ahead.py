"""Slates decided ahead: what a viewer will need next, while they look at what they have.

Who comes to the end of a slate mostly reads on. So the next one is decided while nobody waits for
the ranking, of what is known by then; whoever asks sooner waits no longer than it takes.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

logger = structlog.get_logger(__name__)

_COUNT_MAX = 64
"""So many may be under way; for whom there is no room, it is decided when they ask."""

Decide = Callable[[], Awaitable[None]]


class Ahead:
    """Decides one thing after the other, each named by its place. Lives in one event loop."""

    def __init__(self, idle: Callable[[], Awaitable[None]]) -> None:
        """Take what waits until nobody else waits for a decision."""
        self._idle = idle
        self._turn = asyncio.Lock()
        self._under_way: dict[bytes, asyncio.Task[None]] = {}
        self._begun: bytes | None = None

    def close(self) -> None:
        """Decide nothing more."""
        for task in self._under_way.values():
            task.cancel()

    def begin(self, name: bytes, decide: Decide) -> None:
        """Have something decided when nobody waits, unless it is under way."""
        if name in self._under_way or len(self._under_way) >= _COUNT_MAX:
            return
        task = asyncio.create_task(self._decide(name, decide))
        self._under_way[name] = task
        task.add_done_callback(lambda ended: self._end(name, ended))

    async def settle(self, name: bytes) -> None:
        """Return when it is decided; if nobody has begun with it, it is left to the caller."""
        task = self._under_way.get(name)
        if task is None:
            return
        if self._begun != name:
            task.cancel()
        await asyncio.wait((task,))

    async def _decide(self, name: bytes, decide: Decide) -> None:
        async with self._turn:
            await self._idle()
            self._begun = name
            try:
                await decide()
            finally:
                self._begun = None

    def _end(self, name: bytes, ended: asyncio.Task[None]) -> None:
        del self._under_way[name]
        if not ended.cancelled() and (error := ended.exception()) is not None:
            logger.warning("a slate could not be decided ahead", error=str(error))
