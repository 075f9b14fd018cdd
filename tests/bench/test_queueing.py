"""The simulation of the queue: what it measures is what the words say."""

from uuid import UUID

import pytest

from domain.generation.fair_queue import Waiting
from myriorama.bench.queueing import (
    GPUS,
    HEAVY,
    Job,
    crowd,
    fair_order,
    fair_shares,
    fifo_order,
    jain,
    simulated,
)

ALICE, BOB = UUID(int=1), UUID(int=2)


def test_jains_index_is_1_among_equals_and_1_over_n_if_one_has_all() -> None:
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([9.0, 0.0, 0.0]) == pytest.approx(1 / 3)


def test_who_asks_for_little_is_entitled_to_it_and_others_share_the_rest() -> None:
    assert fair_shares({HEAVY: 100.0, ALICE: 2.0, BOB: 30.0}, 62.0) == {
        HEAVY: 30.0,
        ALICE: 2.0,
        BOB: 30.0,
    }


def test_by_arrival_nobody_is_served_before_who_came_first() -> None:
    jobs = [Job(Waiting(UUID(int=n), HEAVY, "plain", 1_000, 0.0), 1.0) for n in range(40)]
    late = Job(Waiting(UUID(int=99), ALICE, "plain", 1_000, 1.0), 1.0)

    run = simulated([*jobs, late], fifo_order, until_s=5.0)

    assert run.waits_s[ALICE] == [40 / GPUS - 1.0]
    assert run.used_s[HEAVY] == 5.0 * GPUS


def test_every_job_is_served_once_in_either_order() -> None:
    jobs = crowd(seed=1)[:600]

    for order in (fair_order(), fifo_order):
        run = simulated(jobs, order, until_s=3600.0)

        assert sum(map(len, run.waits_s.values())) == len(jobs)
        assert all(wait >= 0 for waits in run.waits_s.values() for wait in waits)
