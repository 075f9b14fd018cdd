"""Commands that come through the front wait on the event loop, and end however they end."""

import asyncio
import threading
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from myriorama.store.front import Front, aside, is_inside, rows, settled
from myriorama.store.postgres import Pool, async_pool

T = TypeVar("T")
ASKED: ContextVar[str] = ContextVar("ASKED")


@pytest.fixture
def closed() -> Pool:
    """A pool that nothing can be had of: who touches it inside a front would block there."""
    return ConnectionPool(open=False)


@pytest.fixture
def run(database_url: str) -> Callable[[Callable[[Front], Coroutine[Any, Any, T]]], T]:
    """Run a coroutine that is given a front."""

    async def with_front(use: Callable[[Front], Coroutine[Any, Any, T]]) -> T:
        async with async_pool(database_url, size_max=2, is_checked=False) as pool:
            return await asyncio.wait_for(use(Front(pool)), timeout=120)

    return lambda use: asyncio.run(with_front(use), debug=True)


Run = Callable[[Callable[[Front], Coroutine[Any, Any, Any]]], Any]


def sum_of(pool: Pool, *numbers: int) -> int:
    return sum(rows(pool, "SELECT %s::int", (number,))[0][0] for number in numbers)


def test_a_command_reads_while_the_loop_serves_others(run: Run, closed: Pool) -> None:
    async def use(front: Front) -> list[int]:
        return await asyncio.gather(
            *(front.command(sum_of, closed, number, number) for number in range(100))
        )

    assert run(use) == [2 * number for number in range(100)]


def test_the_same_command_runs_without_a_front(pool: Pool) -> None:
    assert sum_of(pool, 1, 2, 3) == 6
    assert not is_inside()


def test_hundreds_of_commands_wait_without_a_thread_each(run: Run) -> None:
    recordings = [Future[int]() for _ in range(300)]

    async def use(front: Front) -> tuple[int, list[int]]:
        before = threading.active_count()
        waiting = [asyncio.create_task(front.command(settled, each)) for each in recordings]
        await asyncio.sleep(0)
        more = threading.active_count() - before
        for number, recording in enumerate(recordings):
            recording.set_result(number)
        return more, await asyncio.gather(*waiting)

    more, told = run(use)

    assert more <= 0  # threads of others may have ended meanwhile
    assert told == list(range(300))


def test_a_command_sees_the_context_of_who_awaits_it(run: Run, closed: Pool) -> None:
    seen: list[tuple[str, str]] = []

    def command() -> None:
        before = ASKED.get()
        sum_of(closed, 1)
        seen.append((before, ASKED.get()))
        ASKED.set(f"{before}, answered")

    async def request(front: Front, name: str) -> str:
        ASKED.set(name)
        await front.command(command)
        return ASKED.get()

    async def use(front: Front) -> tuple[str, str]:
        alice, bob = await asyncio.gather(request(front, "alice"), request(front, "bob"))
        return alice, bob

    assert run(use) == ("alice, answered", "bob, answered")
    assert sorted(seen) == [("alice", "alice"), ("bob", "bob")]


def test_what_a_command_raises_keeps_its_type_and_where_it_came_from(
    run: Run, closed: Pool
) -> None:
    def refuse() -> None:
        sum_of(closed, 1)
        raise PermissionError("not yours")

    def ask_nonsense() -> None:
        rows(closed, "SELECT 1 / %s", (0,))

    async def use(front: Front) -> None:
        with pytest.raises(PermissionError, match="not yours") as refused:
            await front.command(refuse)
        with pytest.raises(psycopg.errors.DivisionByZero) as wrong:
            await front.command(ask_nonsense)
        assert "refuse" in [frame.name for frame in traceback.extract_tb(refused.tb)]
        assert "ask_nonsense" in [frame.name for frame in traceback.extract_tb(wrong.tb)]

    run(use)


def test_a_command_may_catch_what_its_reading_raised(run: Run, closed: Pool) -> None:
    def recover() -> int:
        try:
            rows(closed, "SELECT 1 / %s", (0,))
        except psycopg.errors.DivisionByZero:
            return sum_of(closed, 5)
        raise AssertionError

    async def use(front: Front) -> int:
        return await front.command(recover)

    assert run(use) == 5


def test_a_cancelled_command_ends_where_it_reads(run: Run, closed: Pool) -> None:
    ended: list[str] = []

    def command() -> None:
        try:
            rows(closed, "SELECT pg_sleep(%s)", (600,))
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        finally:
            ended.append("tidied up")

    async def use(front: Front) -> int:
        task = asyncio.create_task(front.command(command))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await front.command(sum_of, closed, 7)

    assert run(use) == 7
    assert ended == ["cancelled", "tidied up"]


def test_a_cancelled_command_ends_when_what_it_records_is_recorded(run: Run) -> None:
    recording = Future[int]()

    async def use(front: Front) -> bool:
        task = asyncio.create_task(front.command(settled, recording))
        await asyncio.sleep(0)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        is_waiting = not task.done()
        recording.set_result(1)
        with pytest.raises(asyncio.CancelledError):
            await task
        return is_waiting

    assert run(use) is True
    assert not recording.cancelled()


def test_a_recording_that_fails_behind_a_cancelled_command_is_no_noise(run: Run) -> None:
    recording = Future[int]()
    noise: list[dict[str, Any]] = []

    async def use(front: Front) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: noise.append(told))
        task = asyncio.create_task(front.command(settled, recording))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        recording.set_exception(ValueError("refused"))
        with pytest.raises(asyncio.CancelledError):
            await task

    run(use)

    assert noise == []


def test_what_keeps_a_core_busy_is_done_in_a_thread_only_inside_a_front(run: Run) -> None:
    async def use(front: Front) -> int:
        return await front.command(aside, threading.get_ident)

    here = threading.get_ident()

    assert run(use) != here
    assert aside(threading.get_ident) == here


def test_a_server_that_was_restarted_is_asked_again(
    run: Run, closed: Pool, database_url: str
) -> None:
    async def use(front: Front) -> tuple[int, int]:
        first = await front.command(sum_of, closed, 1)
        with psycopg.connect(database_url, autocommit=True) as operator:
            operator.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return first, await front.command(sum_of, closed, 2)

    assert run(use) == (1, 2)
