"""The async front of the log: routes await commands, which are plain sync code and hold no thread.

A command runs in a greenlet on the thread of the event loop. Where it waits (for the log, for a
hash) it switches to the loop, which awaits in its place, serves others meanwhile, and switches
back with the outcome. Outside of a front the same functions simply wait.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

from anyio import to_thread
from greenlet import getcurrent, greenlet
from psycopg import AsyncConnection, OperationalError
from psycopg.abc import Params, QueryNoTemplate
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.store.postgres import Pool

P = ParamSpec("P")
R = TypeVar("R")

AsyncPool = AsyncConnectionPool[AsyncConnection[TupleRow]]


class Front:
    """Runs commands on the event loop that has opened `pool`.

    The pool need not check its connections: a query that meets a dead one is sent once more.
    """

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool

    async def command(self, command: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a command to its end. What it raises is raised here, with its own traceback.

        The context variables are those of the task that awaits this. If that task is cancelled,
        the command ends where it waits; but what it has begun to record is recorded first.
        """
        running = _Command(self, partial(command, *args, **kwargs))
        step = running.switch()
        while not running.dead:
            try:
                outcome = await step
            except BaseException as error:  # noqa: BLE001 - the command's, cancellation too
                step = running.throw(type(error), error, error.__traceback__)
            else:
                step = running.switch(outcome)
        return cast("R", step)

    async def rows(self, query: QueryNoTemplate, params: Params) -> list[TupleRow]:
        """Run one query that changes nothing, in one round trip."""
        async with self._pool.connection() as connection:
            try:
                return await (await connection.execute(query, params)).fetchall()
            except OperationalError:
                if not connection.broken:
                    raise
        # A server that was restarted leaves dead connections behind: this was perhaps one of many.
        await self._pool.check()
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, params)).fetchall()


class _Command(greenlet):
    """A command on its way, and the front that it came through."""

    def __init__(self, front: Front, command: Callable[[], Any]) -> None:
        driver = getcurrent()
        super().__init__(command, driver)
        self.front = front
        self.gr_context = driver.gr_context


def rows(pool: Pool, query: QueryNoTemplate, params: Params) -> list[TupleRow]:
    """Return the rows of one query that changes nothing: on `pool`, unless there is a front."""
    if running := _present():
        return _awaited(running, running.front.rows(query, params))
    with pool.connection() as connection:
        return connection.execute(query, params).fetchall()


def settled(recording: Future[R]) -> R:
    """Wait until what was handed to the recorder is recorded, or refused."""
    if running := _present():
        return _awaited(running, _settled(recording))
    return recording.result()


def aside(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do what keeps a core busy or waits for something else: in a thread, if there is a front."""
    if running := _present():
        return _awaited(running, to_thread.run_sync(partial(work, *args, **kwargs)))
    return work(*args, **kwargs)


def pause(seconds: float) -> None:
    """Let others go first."""
    if running := _present():
        _awaited(running, asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def is_inside() -> bool:
    """Tell whether the present command came through a front, so that it must not block."""
    return _present() is not None


def _present() -> _Command | None:
    running = getcurrent()
    return running if isinstance(running, _Command) else None


def _awaited(running: _Command, awaited: Coroutine[Any, Any, R]) -> R:
    driver = running.parent
    assert driver is not None  # noqa: S101 - only the main greenlet of a thread has none
    return cast("R", driver.switch(awaited))


async def _settled(recording: Future[R]) -> R:
    recorded = asyncio.wrap_future(recording)
    try:
        return await asyncio.shield(recorded)
    except asyncio.CancelledError:
        # Whoever gave up does not learn of it, but what comes after this finds it settled.
        while not recorded.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([recorded])
        if not recorded.cancelled():
            recorded.exception()
        raise
