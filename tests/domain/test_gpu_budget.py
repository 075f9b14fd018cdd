"""The GPU budget: a day that has cost enough stops, and the next one goes on."""

from datetime import UTC, date, datetime, timedelta

from domain.budget.aggregate import GpuBudget
from domain.budget.events import GpuBudgetExhausted, GpuBudgetRenewed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)


def opened() -> GpuBudget:
    budget = GpuBudget.open(at=NOON)
    budget.collect_events()
    return budget


def test_the_brake_is_set_once_when_the_day_has_cost_what_it_may() -> None:
    budget = opened()

    budget.settle(TODAY, spent_ms=9_999, budget_ms=10_000, at=NOON)
    before = budget.is_exhausted
    budget.settle(TODAY, spent_ms=10_000, budget_ms=10_000, at=NOON)
    budget.settle(TODAY, spent_ms=12_000, budget_ms=10_000, at=NOON)

    [event] = budget.collect_events()
    assert isinstance(event, GpuBudgetExhausted)
    assert (event.day, event.spent_ms, event.budget_ms) == ("2026-11-22", 10_000, 10_000)
    assert (before, budget.is_exhausted) == (False, True)


def test_the_next_day_goes_on() -> None:
    budget = opened()
    budget.settle(TODAY, spent_ms=10_000, budget_ms=10_000, at=NOON)

    budget.settle(TOMORROW, spent_ms=0, budget_ms=10_000, at=NOON + timedelta(hours=12))

    assert not budget.is_exhausted
    assert isinstance(budget.collect_events()[-1], GpuBudgetRenewed)


def test_a_budget_that_is_raised_or_lifted_goes_on_at_once() -> None:
    raised, lifted = opened(), opened()
    for budget in (raised, lifted):
        budget.settle(TODAY, spent_ms=10_000, budget_ms=10_000, at=NOON)

    raised.settle(TODAY, spent_ms=10_000, budget_ms=20_000, at=NOON)
    lifted.settle(TODAY, spent_ms=10_000, budget_ms=0, at=NOON)

    assert (raised.is_exhausted, lifted.is_exhausted) == (False, False)


def test_a_day_that_begins_over_its_budget_stops_under_its_own_name() -> None:
    budget = opened()
    budget.settle(TODAY, spent_ms=10_000, budget_ms=10_000, at=NOON)

    budget.settle(TOMORROW, spent_ms=11_000, budget_ms=10_000, at=NOON + timedelta(days=1))

    assert budget.exhausted_on == "2026-11-23"


def test_a_house_without_a_budget_records_nothing() -> None:
    budget = opened()

    budget.settle(TODAY, spent_ms=10**12, budget_ms=0, at=NOON)

    assert not budget.collect_events()
