"""The pacer: bids follow the plan of a budget, in bounds, and forget what they could not do."""

import numpy as np
import pytest

from ads.pacing import GAINS, LEAST, State, step, urgency

BUDGET = np.array([10_000_000.0])
SECOND = 1 / 86_400


def test_a_line_that_is_ahead_of_its_plan_bids_less_and_one_behind_bids_more() -> None:
    state = State.warm([0.5, 0.5])

    after = step(state, [3e6, 1e6], 0.0, [1e7, 1e7], [0.2, 0.2], dt=SECOND)

    assert after.multipliers[0] < 0.5 < after.multipliers[1]


def test_a_line_on_its_plan_bids_as_before() -> None:
    state = State.warm([0.37])

    after = step(state, BUDGET * 0.4, 0.0, BUDGET, 0.4, dt=SECOND)

    assert after.multipliers == pytest.approx([0.37])


def test_what_is_held_counts_as_spent() -> None:
    state = State.warm([0.5])

    held = step(state, [1e6], [5e5], BUDGET, 0.1, dt=SECOND)
    spent = step(state, [1.5e6], [0.0], BUDGET, 0.1, dt=SECOND)

    assert held.multipliers == pytest.approx(spent.multipliers)


@pytest.mark.parametrize("spent_share", [0.0, 1.0, 40.0])
def test_a_multiplier_never_leaves_its_bounds(spent_share: float) -> None:
    state = State.warm([0.2])

    for place in range(1, 200):
        state = step(state, BUDGET * spent_share, 0.0, BUDGET, place / 200, dt=1 / 200)

        assert LEAST <= state.multipliers[0] <= 1.0


def test_one_step_after_an_outage_moves_a_bid_by_no_more_than_is_said() -> None:
    state = State.warm([0.5])

    after = step(state, [0.0], 0.0, BUDGET, 0.9, dt=0.9)

    assert after.multipliers[0] == pytest.approx(min(1.0, 0.5 * np.exp(GAINS.most)))


def test_a_line_that_could_not_spend_all_day_slows_down_as_soon_as_it_is_ahead() -> None:
    state = State.warm([1.0])
    for place in range(1, 500):
        state = step(state, [0.0], 0.0, BUDGET, place / 1000, dt=1 / 1000)

    after = step(state, BUDGET * 0.52, 0.0, BUDGET, 0.5, dt=1 / 1000)

    assert state.multipliers[0] == 1.0
    assert after.multipliers[0] < 0.5


def test_a_budget_of_less_than_an_impression_does_not_make_its_error_infinite() -> None:
    after = step(State.warm([0.5]), [0.0], 0.0, [2.0], 0.5, dt=SECOND)

    assert after.errors[0] == pytest.approx(-1 / GAINS.floor_micros)
    assert after.multipliers[0] == pytest.approx(0.5, rel=0.05)


def test_a_line_without_a_budget_bids_the_least() -> None:
    after = step(State.warm([0.5]), [0.0], 0.0, [0.0], 0.5, dt=SECOND)

    assert after.multipliers[0] == pytest.approx(LEAST)


def test_a_change_too_small_to_matter_is_not_published_until_it_adds_up() -> None:
    state = State.warm([0.5])
    slightly = GAINS.hysteresis / GAINS.proportional / 3

    first = step(state, BUDGET * slightly, 0.0, BUDGET, 0.0, dt=0.0)
    last = step(first, BUDGET * slightly * 4, 0.0, BUDGET, 0.0, dt=0.0)

    assert first.multipliers[0] == pytest.approx(0.5)
    assert first.logarithms[0] < np.log(0.5)
    assert last.multipliers[0] == pytest.approx(0.5 * np.exp(-GAINS.hysteresis * 4 / 3))


def test_a_day_whose_traffic_swings_is_spent_along_the_plan_without_any_cap() -> None:
    state = State.warm([0.05])
    spent, off = 0.0, 0.0
    steps = 2000

    for place in range(1, steps + 1):
        state = step(state, [spent], 0.0, BUDGET, place / steps, dt=1 / steps)
        wave = 1 + 0.5 * np.sin(6 * np.pi * place / steps)
        spent += 4 * BUDGET[0] / steps * wave * float(state.multipliers[0])
        off = max(off, abs(spent / BUDGET[0] - place / steps))

    assert spent / BUDGET[0] == pytest.approx(1.0, abs=0.015)
    assert off < 0.03


def test_a_guaranteed_line_bids_its_ceiling_when_it_needs_all_that_comes() -> None:
    paid = urgency([0, 100, 10, 500, 5], [1000, 10_000, 10, 100, 0])

    assert paid.tolist() == pytest.approx([0.0, 0.1, 1.0, 1.0, 1.0])
