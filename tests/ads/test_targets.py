"""Plans: budgets are to be spent when the value comes, as the day before is replayed."""

import numpy as np
import pytest

from ads.targets import Forecast, daily_slice_micros, forecast, plan, target
from ads.welfare import Market


def test_a_line_is_to_spend_when_the_value_comes_and_not_by_the_clock() -> None:
    found = forecast([[1.0], [1.0], [6.0], [2.0]], [1e9])

    assert found.share_at(0.5).tolist() == pytest.approx([0.2])
    assert found.share_at(0.625).tolist() == pytest.approx([0.5])
    assert found.share_at(1.0).tolist() == pytest.approx([1.0])


def test_a_line_that_won_little_follows_all_lines_together() -> None:
    found = forecast([[0.0, 900.0], [1.0, 100.0]], [1, 10_000])

    assert found.share_at(0.5)[0] == pytest.approx(0.9, abs=0.01)
    assert found.share_at(0.5)[1] == pytest.approx(0.9, abs=0.01)


def test_a_day_of_which_nothing_is_known_is_even() -> None:
    found = forecast(np.zeros((4, 2)), [0, 0])

    assert found.share_at(0.25).tolist() == pytest.approx([0.25, 0.25])


def test_nothing_is_planned_outside_of_a_lines_schedule() -> None:
    found = forecast(np.ones((4, 1)), [1000], open_slices=[[0.0], [1.0], [1.0], [0.0]])

    assert found.share_at(0.25).tolist() == [0.0]
    assert found.share_at(0.5).tolist() == pytest.approx([0.5])
    assert found.share_at(0.75).tolist() == pytest.approx([1.0])


def test_a_share_is_within_the_day_whatever_time_is_asked_for() -> None:
    found = Forecast(np.array([[0.0], [0.4], [1.0]]))

    assert found.share_at(-1.0).tolist() == [0.0]
    assert found.share_at(7.0).tolist() == [1.0]


def test_front_spends_three_quarters_with_the_first_half_of_the_value_and_asap_all_at_once() -> (
    None
):
    assert target("front", 0.5) == pytest.approx(0.75)
    assert target("even", 0.5) == pytest.approx(0.5)
    assert target("asap", 0.0) == pytest.approx(1.0)


def test_a_lifetime_budget_is_divided_by_the_value_of_the_days_that_are_left() -> None:
    assert daily_slice_micros(7_000_000, value_today=2.0, value_later=5.0) == 2_000_000
    assert daily_slice_micros(7_000_001, value_today=2.0, value_later=0.0) == 7_000_001
    assert daily_slice_micros(0, value_today=1.0, value_later=1.0) == 0
    assert daily_slice_micros(5, value_today=0.0, value_later=0.0) == 5


def test_what_a_day_left_of_a_lifetime_budget_goes_to_the_days_after_it_and_none_is_lost() -> None:
    left, days = 10_000_003, [3.0, 1.0, 4.0, 2.0]

    for place, value in enumerate(days):
        slice_micros = daily_slice_micros(left, value, sum(days[place + 1 :]))
        left -= slice_micros if place != 1 else slice_micros // 2

    assert left == 0


def test_a_plan_begins_with_the_multiplier_that_spent_the_budget_the_day_before() -> None:
    chance = np.random.default_rng(5)
    rising = np.linspace(0.5, 1.5, 6000)
    values = (chance.lognormal(0, 0.5, (6000, 2)) * rising[:, None]).astype(np.float32)
    budgets = np.array([900.0, 600.0])

    found = plan(Market(values, np.full(6000, 0.4), budgets))

    assert (found.multipliers < 1).all()
    assert (found.forecast.share_at(0.5) < 0.35).all()
    assert (np.diff(found.forecast.cumulative, axis=0) >= 0).all()
