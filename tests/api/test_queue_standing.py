"""Who asks where theirs stand: many cost what one does, and nobody is told what is over."""

import asyncio
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4

from psycopg.abc import Params, QueryNoTemplate

from domain.generation.fair_queue import Rules
from myriorama.api.queue_places import QueuePlace
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.reads import Reads
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool, async_pool
from myriorama.store.queue_rows import LIVE
from projections.gpu_budgets import GpuBudgets
from projections.queue_entries import QueueEntries
from tests.drafts import generation
from tests.folding import fold

T = TypeVar("T")
ALICE = uuid4()


class Counted(Reads):
    """Reads that know how often the queue was looked at."""

    looks = 0

    async def many(self, kind: type[T], query: QueryNoTemplate, params: Params = ()) -> list[T]:
        self.looks += query == LIVE
        return await super().many(kind, query, params)


def test_a_hundred_who_ask_at_once_cost_one_look(settings: Settings, log: Log, pool: Pool) -> None:
    asked = generation(ALICE)
    log.save(asked)
    fold(pool, QueueEntries(), GpuBudgets())

    async def ask() -> tuple[list[dict[UUID, QueuePlace]], int]:
        async with async_pool(settings.database_url) as reading:
            reads = Counted(reading)
            standing = QueueStanding(reads, Rules())
            told = await asyncio.gather(*[standing.of({asked.id: "queued"}) for _ in range(100)])
            return [dict(each) for each in told], reads.looks

    told, looks = asyncio.run(ask())

    assert looks == 1
    assert {each[asked.id].position for each in told} == {1}


def test_what_was_read_of_one_is_never_newer_than_its_place(
    settings: Settings, log: Log, pool: Pool
) -> None:
    asked = generation(ALICE)
    log.save(asked)
    fold(pool, QueueEntries(), GpuBudgets())

    async def ask() -> list[dict[UUID, QueuePlace]]:
        async with async_pool(settings.database_url) as reading:
            standing = QueueStanding(Reads(reading), Rules())
            before = await standing.of({asked.id: "queued"})
            asked.dispatch(at=datetime.now(UTC))
            log.save(asked)
            fold(pool, QueueEntries())
            after = await standing.of({asked.id: "dispatched"})
            over = await standing.of({asked.id: "cancelled"})
            return [dict(before), dict(after), dict(over)]

    before, after, over = asyncio.run(ask())

    assert (before[asked.id].reason, after[asked.id].reason) == ("waiting_for_turn", "handed_out")
    assert over == {}
