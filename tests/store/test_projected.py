"""Who waits for the read side waits for what still moves."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest

from myriorama.store import projected
from myriorama.store.projected import Projected

STAND = """
    INSERT INTO projection_positions (name, position) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""


@asynccontextmanager
async def following(url: str) -> AsyncGenerator[Projected]:
    follower = Projected(url)
    running = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def stand(url: str, **positions: int) -> None:
    with psycopg.connect(url) as connection:
        for name, position in positions.items():
            connection.execute(STAND, (name, position))
            connection.execute("SELECT pg_notify('projected', %s)", (f"{position}:{name}",))


def test_one_that_stands_still_is_waited_for_no_longer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projected, "_STILL_S", 0.05)

    async def see() -> None:
        async with following(database_url) as follower:
            stand(database_url, videos=1, comments=1)
            assert await follower.reached(1, ["videos", "comments"], timeout_s=10)
            assert follower.going(["videos", "comments"]) == ["videos", "comments"]

            await asyncio.to_thread(time.sleep, 0.1)
            stand(database_url, videos=2)
            assert await follower.reached(2, ["videos"], timeout_s=10)

            assert follower.going(["videos", "comments"]) == ["videos"]

            stand(database_url, comments=2)
            assert await follower.reached(2, ["comments"], timeout_s=10)

            assert follower.going(["videos", "comments"]) == ["videos", "comments"]

    asyncio.run(see())


def test_one_that_moves_is_waited_for_though_it_is_behind(database_url: str) -> None:
    async def see() -> None:
        async with following(database_url) as follower:
            stand(database_url, videos=9, comments=1)

            assert await follower.reached(9, ["videos"], timeout_s=10)

            assert follower.going(["videos", "comments"]) == ["videos", "comments"]

    asyncio.run(see())
