"""Turns: one at a time, and whoever asks much waits behind whoever asks little."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from domain.errors import Exhausted

WAITING_MAX = 4
"""So many of one account's wait at once."""

_RETRY_S = 5


class TooManyWaiting(Exhausted):
    """Others that you have asked for wait still: ask again when they are there."""


class Turns:
    """Lets one in at a time, accounts in turns. Lives in one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}
        self._is_taken = False

    @asynccontextmanager
    async def turn(self, account_id: UUID) -> AsyncGenerator[None]:
        """Wait for a turn, and have it.

        Raises:
            TooManyWaiting: as many of this account's wait as may.
        """
        if self._is_taken:
            await self._wait(account_id)
        self._is_taken = True
        try:
            yield
        finally:
            self._next()

    async def _wait(self, account_id: UUID) -> None:
        queue = self._waiting.setdefault(account_id, deque())
        if len(queue) >= WAITING_MAX:
            raise TooManyWaiting("Others that you have asked for wait still.", reset_s=_RETRY_S)
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # the turn had just come
                self._next()
            raise

    def _next(self) -> None:
        """Let the next account in, which then stands behind all others."""
        while self._waiting:
            account_id = next(iter(self._waiting))
            queue = self._waiting.pop(account_id)
            first = queue.popleft()
            if queue:
                self._waiting[account_id] = queue
            if not first.done():  # who has left meanwhile is done
                first.set_result(None)
                return
        self._is_taken = False
