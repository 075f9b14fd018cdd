"""The feeds from memory against one plain query, in random worlds that go on changing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds, Kind
from myriorama.feed.timeline import END
from myriorama.feed.tops import Slate
from myriorama.store.postgres import async_pool
from myriorama.store.signing import Signer
from tests.feed.worlds import PEOPLE, World

NOW = 1_800_000_000


@asynccontextmanager
async def loaded(database_url: str) -> AsyncGenerator[Feeds]:
    pool = async_pool(database_url)
    await pool.open()
    feeds = Feeds(pool, Cards(pool, Signer(b"a secret of the tests, long enough")))
    await feeds.load()
    yield feeds
    await pool.close()


async def refresh(feeds: Feeds) -> None:
    await feeds.refresh_videos()
    await feeds.refresh_relations()
    await feeds.refresh_accounts()
    await feeds.refresh_engagement()
    await feeds.refresh_views()


async def scroll(feeds: Feeds, viewer_id: UUID, kind: Kind, limit: int) -> list[tuple[Any, ...]]:
    """Return all that a viewer is shown, page by page."""
    shown, before = list[tuple[Any, ...]](), END
    while True:
        page = await feeds.slate(viewer_id.bytes, kind, before=before, limit=limit, now=NOW)
        shown += map(summary, page.video_ids, page.cards)
        if page.before is None:
            return shown
        before = page.before


def summary(video_id: bytes, opened: bytes) -> tuple[Any, ...]:
    card = msgspec.json.decode(opened + b'"}')
    assert card["video_id"] == str(UUID(bytes=video_id))
    counts, name = card["counts"], card["author"]["display_name"]
    return UUID(bytes=video_id), card["caption"], name, counts["likes"], counts["views"]


@pytest.mark.parametrize("seed", range(6))
def test_memory_shows_what_one_query_would(database_url: str, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - makes worlds, no secrets

    async def live(world: World) -> None:
        for _ in range(60):
            world.change()
        async with loaded(database_url) as feeds:
            for _ in range(25):
                for _ in range(random.randrange(4)):
                    world.change()
                await refresh(feeds)
                viewer_id, limit = random.choice(PEOPLE), random.randrange(1, 8)
                for kind in KINDS:
                    shown = await scroll(feeds, viewer_id, kind, limit)
                    assert shown == world.expected(viewer_id, kind), (viewer_id, kind)

    with psycopg.connect(database_url, autocommit=True) as database:
        asyncio.run(live(World(database, random)))


KINDS: tuple[Kind, ...] = ("following", "latest")


def test_what_changes_while_it_is_read_is_read_again(database_url: str) -> None:
    random = Random(99)  # noqa: S311 - makes worlds, no secrets

    async def live(world: World) -> None:
        for _ in range(80):
            world.change()
        for _ in range(40):
            async with loaded(database_url) as feeds:
                reading: list[asyncio.Task[Slate]] = [
                    asyncio.create_task(
                        feeds.slate(viewer.bytes, kind, before=END, limit=50, now=NOW)
                    )
                    for viewer in PEOPLE
                    for kind in KINDS
                ]
                await asyncio.sleep(random.random() * 0.02)  # it changes at any moment of it
                for _ in range(5):
                    world.change()
                await refresh(feeds)
                await asyncio.gather(*reading)
                for viewer_id in PEOPLE:
                    for kind in KINDS:
                        shown = await scroll(feeds, viewer_id, kind, 50)
                        assert shown == world.expected(viewer_id, kind)

    with psycopg.connect(database_url, autocommit=True) as database:
        asyncio.run(live(World(database, random)))
