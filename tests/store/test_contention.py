"""Commands of one account that come all at once are all carried out, one after the other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from domain.following.aggregate import Following
from myriorama.store.front import Front
from myriorama.store.log import Log, retried
from myriorama.store.postgres import async_pool

ALICE = UUID(int=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OTHERS = [UUID(int=number) for number in range(2, 42)]


@retried
def block(log: Log, other_id: UUID) -> None:
    """Block as the application does: on what is there, or on a new aggregate."""
    following = log.find(Following, Following.identify(ALICE))
    following = following or Following.start(ALICE, at=NOON)
    following.block(other_id, at=NOON)
    log.save(following)


def blocked(log: Log) -> list[UUID]:
    following = log.find(Following, Following.identify(ALICE))
    assert following
    return [other_id for other_id in OTHERS if following.is_blocking(other_id)]


def test_none_of_many_parallel_commands_of_one_account_is_lost(log: Log, database_url: str) -> None:
    async def all_at_once() -> None:
        async with async_pool(database_url, size_max=4, is_checked=False) as pool:
            front = Front(pool)
            await asyncio.gather(*(front.command(block, log, other_id) for other_id in OTHERS))

    asyncio.run(all_at_once())

    assert blocked(log) == OTHERS


def test_without_a_front_they_wait_in_their_threads(log: Log) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(block, [log] * len(OTHERS), OTHERS))

    assert blocked(log) == OTHERS
