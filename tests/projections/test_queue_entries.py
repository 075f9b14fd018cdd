"""The entries of the queue: what each costs, since when it waits, and when it had its turn."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from domain.budget.aggregate import GpuBudget
from domain.generation.aggregate import Generation
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.gpu_budgets import GpuBudgets
from projections.queue_entries import QueueEntries
from tests.drafts import deliver, generation
from tests.folding import fold

ALICE = uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

ROW = """
    SELECT state, attempt, waits_since, released_at, dispatched_at, worker
    FROM queue_entries WHERE generation_id = %s
"""


def row(pool: Pool, generation_id: UUID) -> tuple[object, ...]:
    with pool.connection() as connection:
        found = connection.execute(ROW, (generation_id,)).fetchone()
    assert found is not None
    return found


def begun(asked: Generation, at: datetime, *, worker: str) -> None:
    asked.dispatch(at=at)
    asked.claim(worker, asked.attempt, lease=MINUTE, at=at)


def test_a_second_attempt_is_no_second_turn(log: Log, pool: Pool) -> None:
    lost = generation(ALICE)
    asked_at = lost.modified_on
    begun(lost, NOON, worker="w1")
    lost.expire(at=NOON + MINUTE)
    lost.dispatch(at=NOON + 2 * MINUTE)
    log.save(lost)

    fold(pool, QueueEntries())

    expected = ("dispatched", 2, asked_at, NOON, NOON + 2 * MINUTE, "w1")
    assert row(pool, lost.id) == expected


def test_what_ends_in_any_way_waits_no_more(log: Log, pool: Pool) -> None:
    delivered, cancelled, refused = (generation(ALICE) for _ in range(3))
    deliver(delivered, gpu_ms=7)
    cancelled.cancel(by=ALICE, at=NOON)
    refused.refuse(reason="consent_withdrawn", detail="", at=NOON)
    log.save(delivered, cancelled, refused)

    fold(pool, QueueEntries())

    assert {row(pool, each.id)[0] for each in (delivered, cancelled, refused)} == {"ended"}


def test_the_brake_is_shown_while_it_is_on(log: Log, pool: Pool) -> None:
    budget = GpuBudget.open(at=NOON)
    budget.settle(NOON.date(), spent_ms=10, budget_ms=10, at=NOON)
    log.save(budget)
    query = "SELECT exhausted_on, spent_ms, budget_ms FROM gpu_budgets"

    fold(pool, GpuBudgets())
    with pool.connection() as connection:
        on = connection.execute(query).fetchall()
    budget.settle(NOON.date(), spent_ms=10, budget_ms=0, at=NOON)
    log.save(budget)
    fold(pool, GpuBudgets())

    with pool.connection() as connection:
        assert connection.execute(query).fetchall() == [(None, None, None)]
    assert on == [("2026-11-22", 10, 10)]
