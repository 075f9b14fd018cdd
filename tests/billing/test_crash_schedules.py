"""Whatever crashes, whenever: no budget is exceeded, and budgets, leases and charges agree."""

import random
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from myriorama.store.postgres import Pool
from tests.billing.database import Database
from tests.billing.memory import ADVERTISER, CAMPAIGN, LINES, Memory, Row
from tests.billing.schedules import Schedule
from tests.billing.worlds import NOON_MS

SCHEDULES = 10_000
SHARES = 4
SCHEDULES_OF_SQL = 200


def memory(*, now_ms: int = NOON_MS, budget: int = 9_000) -> Memory:
    house = Memory(now_ms, "America/St_Johns", LINES, daily=budget // 3)
    house.rows["advertiser", house.advertiser, 0] = Row(budget)
    house.rows["campaign", house.campaign, 0] = Row(budget - 2_000)
    for line_id in LINES:
        house.rows["line", line_id, 0] = Row(budget // 2)
    return house


def crashes(seed: int) -> Iterator[bool]:
    """Say of each settlement whether it is cut off just before its end."""
    chance = random.Random(seed)  # noqa: S311 - a schedule has to be the same again
    while True:
        yield chance.random() < 0.3


@pytest.mark.parametrize("share", range(SHARES))
def test_ten_thousand_schedules_of_crashes_leave_no_drift_and_no_overspend(share: int) -> None:
    for seed in range(share, SCHEDULES, SHARES):
        house = memory(now_ms=NOON_MS + seed * 61_000)
        schedule = Schedule(house, seed, cuts=seed % 2 == 0, clicks=seed % 3 == 0)

        schedule.play(steps=40)
        schedule.end()

        if not schedule.cuts and not schedule.clicks:
            assert house.leaked_micros == 0, seed  # what was held for is charged, whatever crashed


def test_schedules_reach_what_they_are_about() -> None:
    spent = leaked = closed = unserved = unrecorded = 0
    for seed in range(300):
        house = memory()
        schedule = Schedule(house, seed, cuts=True, clicks=seed % 2 == 0)

        schedule.play(steps=80)
        closed += len(house.leases) - len(house.open)
        schedule.end()

        spent += sum(house.charges.values())
        leaked += house.leaked_micros
        unserved += not schedule.issued
        unrecorded += len(house.unrecorded)
        assert not house.waiting, seed

    assert spent > 500_000
    assert leaked > 0
    assert closed > 0
    assert unserved < 10
    assert unrecorded > 100


@pytest.mark.parametrize("share", range(SHARES))
def test_hundreds_of_schedules_leave_no_drift_in_postgresql_either(
    database_url: str, pool: Pool, share: int
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for seed in range(share, SCHEDULES_OF_SQL, SHARES):
            house = Database(
                pool,
                connection,
                NOON_MS + seed * 61_000,
                "America/St_Johns",
                # The streams of the log are for good, so every schedule has lines of its own.
                lines=tuple(UUID(int=1_000 * (seed + 1) + n) for n in (1, 2)),
                advertiser=ADVERTISER,
                campaign=CAMPAIGN,
                budget=9_000,
                is_crashing=crashes(seed),
            )
            schedule = Schedule(house, seed, cuts=seed % 2 == 0, clicks=seed % 3 == 0, look_every=5)

            schedule.play(steps=40)
            schedule.end()

            if not schedule.cuts and not schedule.clicks:
                assert house.leaked_micros() == 0, seed
            house.outbox.close()
