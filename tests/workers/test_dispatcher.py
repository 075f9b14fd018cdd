"""The dispatcher: whose turn it is, what became of silent workers, and one of it at a time."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.generation.fair_queue import Rules
from domain.generation.wish import Wish
from myriorama.application.budgets import GpuBudgets
from myriorama.application.consent import Consent
from myriorama.application.generations import Generations
from myriorama.application.work import Works
from myriorama.bootstrap.application import create_allowances, create_generations
from myriorama.bootstrap.programs import create_dispatcher
from myriorama.settings import Settings
from myriorama.store.kafka import Producer, Topics
from myriorama.store.log import Log
from myriorama.store.objects import open_objects
from myriorama.store.postgres import Pool
from myriorama.workers.dispatcher import Dispatcher
from myriorama.workers.queues import TOPICS
from tests.drafts import deliver, generation

ALICE, BOB = uuid4(), uuid4()
PATIENCE_S = 120.0
DROP_ALL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def generations(settings: Settings, log: Log, pool: Pool) -> Generations:
    return create_generations(replace(settings, generations_in_flight_max=50), pool, log)


@pytest.fixture
def works(settings: Settings, log: Log) -> Works:
    objects = open_objects(settings.objects)
    return Works(log, Consent(log), objects, lease=timedelta(seconds=1))


@contextmanager
def running(dispatcher: Dispatcher) -> Generator[None]:
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    try:
        yield
    finally:
        dispatcher.stop()
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive()


def dispatcher_of(  # noqa: PLR0913 - its collaborators and its dials
    settings: Settings,
    works: Works,
    log: Log,
    *,
    undelivered_max: int,
    in_flight_max: int = 50,
    budget_ms: int = 0,
) -> Dispatcher:
    # With so small a quantum, who has had a turn waits for all others.
    rules = Rules(quantum_ms=1, account_in_flight_max=in_flight_max)
    return Dispatcher(
        settings.database_url,
        works,
        GpuBudgets(log, budget_ms=budget_ms),
        Producer(settings.kafka),
        Topics(settings.kafka, TOPICS),
        rules=rules,
        undelivered_max=undelivered_max,
    )


def ask(generations: Generations, who: UUID, seconds: int = 4) -> UUID:
    wish = Wish("a fox jumps over a brook", seconds=seconds)
    return generations.request(wish, by=who, at=datetime.now(UTC)).generation_id


def states(pool: Pool) -> dict[UUID, str]:
    with pool.connection() as connection:
        rows = connection.execute("SELECT generation_id, state FROM generations").fetchall()
    return dict(rows)


def await_states(pool: Pool, there: Callable[[dict[UUID, str]], bool]) -> dict[UUID, str]:
    deadline = time.monotonic() + PATIENCE_S
    while not there(present := states(pool)):
        assert time.monotonic() < deadline, present
        time.sleep(0.02)
    return present


def await_row(pool: Pool, query: LiteralString) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with pool.connection() as connection:
        while connection.execute(query).fetchone() is None:
            assert time.monotonic() < deadline, query
            time.sleep(0.02)


@pytest.mark.usefixtures("projecting")
def test_who_asks_for_one_is_not_behind_all_of_who_asks_for_many(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    many = [ask(generations, ALICE) for _ in range(4)]
    one = ask(generations, BOB)
    await_states(pool, lambda present: len(present) == 5)

    with running(dispatcher_of(settings, works, log, undelivered_max=2)):
        present = await_states(pool, lambda p: list(p.values()).count("dispatched") == 2)

    assert {g for g, state in present.items() if state == "dispatched"} == {many[0], one}


@pytest.mark.usefixtures("projecting")
def test_what_takes_long_does_not_hold_up_what_does_not(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    long = [ask(generations, ALICE, seconds=15) for _ in range(2)]
    short = ask(generations, BOB)
    await_states(pool, lambda present: len(present) == 3)

    with running(dispatcher_of(settings, works, log, undelivered_max=1)):
        present = await_states(pool, lambda p: list(p.values()).count("dispatched") == 2)

    assert (present[long[0]], present[short]) == ("dispatched", "dispatched")


@pytest.mark.usefixtures("projecting")
def test_what_silent_workers_hold_comes_back_and_in_the_end_fails_and_costs_nothing(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    wish = ask(generations, ALICE)
    await_states(pool, lambda p: wish in p)

    with running(dispatcher_of(settings, works, log, undelivered_max=1)):
        await_states(pool, lambda p: p[wish] == "dispatched")
        works.claim(wish, worker="w1", attempt=1, at=datetime.now(UTC))
        # How it runs may be over before it is seen; that its second attempt waits is not.
        await_row(pool, "SELECT 1 FROM generations WHERE state = 'dispatched' AND attempt = 2")
        works.claim(wish, worker="w2", attempt=2, at=datetime.now(UTC))
        await_states(pool, lambda p: p[wish] == "failed")

    left = create_allowances(settings, log).remaining(ALICE, at=datetime.now(UTC))
    assert left.remaining_seconds == 300


@pytest.mark.usefixtures("projecting")
def test_a_second_dispatcher_takes_over_when_the_first_is_gone(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    first = dispatcher_of(settings, works, log, undelivered_max=4)
    second = dispatcher_of(settings, works, log, undelivered_max=4)

    with ExitStack() as standing_by:
        with running(first):
            before = ask(generations, ALICE)
            await_states(pool, lambda p: p.get(before) == "dispatched")
            standing_by.enter_context(running(second))
        after = ask(generations, ALICE)
        present = await_states(pool, lambda p: p.get(after) == "dispatched")

    assert present == {before: "dispatched", after: "dispatched"}


@pytest.mark.usefixtures("projecting")
def test_who_takes_over_knows_who_has_had_a_turn(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    many = [ask(generations, ALICE) for _ in range(3)]
    one = ask(generations, BOB)
    await_states(pool, lambda p: len(p) == 4)
    with running(dispatcher_of(settings, works, log, undelivered_max=1)):
        await_states(pool, lambda p: p[many[0]] == "dispatched")
    works.claim(many[0], worker="w1", attempt=1, at=datetime.now(UTC) + timedelta(hours=1))
    # Until it can be seen, the one that is dispatched is still the one of before.
    await_states(pool, lambda p: p[many[0]] == "running")

    with running(dispatcher_of(settings, works, log, undelivered_max=1)):
        present = await_states(pool, lambda p: "dispatched" in p.values())

    assert (present[one], present[many[1]]) == ("dispatched", "queued")


@pytest.mark.usefixtures("projecting")
def test_who_has_enough_in_work_lets_others_by(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    many = [ask(generations, ALICE) for _ in range(3)]
    await_states(pool, lambda p: len(p) == 3)

    with running(dispatcher_of(settings, works, log, undelivered_max=9, in_flight_max=1)):
        await_states(pool, lambda p: p[many[0]] == "dispatched")
        one = ask(generations, BOB)
        present = await_states(pool, lambda p: p.get(one) == "dispatched")
        generations.cancel(many[0], by=ALICE, at=datetime.now(UTC))
        await_states(pool, lambda p: p[many[1]] == "dispatched")

    assert [present[wish] for wish in many] == ["dispatched", "queued", "queued"]


@pytest.mark.usefixtures("projecting")
def test_a_day_that_has_cost_enough_hands_nothing_out_and_loses_nothing(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    dear = generation(ALICE)
    deliver(dear, gpu_ms=60_000)
    log.save(dear)
    await_states(pool, lambda p: p.get(dear.id) == "completed")

    with running(dispatcher_of(settings, works, log, undelivered_max=4, budget_ms=60_000)):
        await_row(pool, "SELECT 1 FROM gpu_budgets WHERE exhausted_on IS NOT NULL")
        wish = ask(generations, BOB)
        await_row(pool, "SELECT 1 FROM generations WHERE state = 'queued'")
    held = states(pool)[wish]
    with running(dispatcher_of(settings, works, log, undelivered_max=4, budget_ms=60_001)):
        await_states(pool, lambda p: p[wish] == "dispatched")

    assert held == "queued"
    await_row(pool, "SELECT 1 FROM gpu_budgets WHERE exhausted_on IS NULL")


@pytest.mark.usefixtures("projecting")
def test_it_goes_on_when_postgresql_has_dropped_all_connections(
    settings: Settings, log: Log, pool: Pool, generations: Generations, works: Works
) -> None:
    with running(dispatcher_of(settings, works, log, undelivered_max=4)):
        before = ask(generations, ALICE)
        await_states(pool, lambda p: p.get(before) == "dispatched")

        with psycopg.connect(settings.database_url) as connection:
            connection.execute(DROP_ALL)
        after = ask(generations, ALICE)

        present = await_states(pool, lambda p: p.get(after) == "dispatched")

    assert present[before] == "dispatched"


@pytest.mark.usefixtures("projecting")
def test_the_one_that_is_deployed_dispatches_too(
    settings: Settings, pool: Pool, generations: Generations
) -> None:
    with running(create_dispatcher(replace(settings, lease_s=1))):
        wish = ask(generations, ALICE)
        present = await_states(pool, lambda p: p.get(wish) == "dispatched")

    assert present == {wish: "dispatched"}
