"""The curve of a day: where plan and spend lie, and what is told to who does not see it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from myriorama.web.pacing_charts import chart_of

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
HALF = timedelta(minutes=30)


def _day(
    begins: datetime = MIDNIGHT, *, halves: int = 48, zone: str = "UTC", planned_from: int = 0
) -> dict[str, Any]:
    """Return a day of which every half hour is to cost 100,000 micros, and the first two did."""
    return {
        "day": "2026-11-23",
        "zone": zone,
        "currency": "EUR",
        "budget_micros": 4_800_000,
        "spent_micros": 200_000,
        "half_hours": [
            {
                "begins_at": (begins + at * HALF).isoformat(),
                "ends_at": (begins + (at + 1) * HALF).isoformat(),
                "plan_micros": 100_000 if at > planned_from else None,
                "plan_total_micros": 100_000 * (at + 1) if at >= planned_from else None,
                "spent_micros": 100_000 if at < 2 else 0,
                "spent_total_micros": 100_000 * min(at + 1, 2),
            }
            for at in range(halves)
        ],
    }


def test_the_spend_ends_at_the_present_moment_and_the_plan_at_the_end_of_the_day() -> None:
    chart = chart_of(_day(), MIDNIGHT + timedelta(hours=12))

    assert chart.now == 50
    assert chart.spent.startswith("0,100 2.083,")
    assert chart.spent.split()[-1].startswith("50,")
    assert chart.plans[0].split()[-1].startswith("100,")


def test_a_plan_begins_where_it_was_made() -> None:
    chart = chart_of(_day(planned_from=23), MIDNIGHT + timedelta(hours=12))

    assert chart.plans[0].split()[0].startswith("50,")


def test_a_day_that_is_over_has_no_present_moment() -> None:
    chart = chart_of(_day(), MIDNIGHT + timedelta(days=2))

    assert chart.now is None
    assert chart.spent.split()[-1].startswith("100,")


def test_nothing_is_spent_of_a_day_to_come() -> None:
    chart = chart_of(_day(), MIDNIGHT - timedelta(days=1))

    assert chart.now is None
    assert chart.spent == "0,100"


def test_the_hours_of_a_day_on_which_clocks_are_put_back_are_those_of_its_zone() -> None:
    begins = datetime(2026, 10, 24, 22, tzinfo=UTC)
    chart = chart_of(_day(begins, halves=50, zone="Europe/Berlin"), begins)

    assert [tick.words for tick in chart.hours][:3] == ["00:00", "03:00", "06:00"]
    assert chart.hours[2].at == 28  # it is the eighth of 25 hours that begins at six


def test_the_amounts_at_the_grid_are_round_and_the_budget_is_within_it() -> None:
    chart = chart_of(_day(), MIDNIGHT)

    assert [tick.words for tick in chart.amounts] == ["2.00 EUR", "4.00 EUR"]
    assert chart.budget is not None
    assert 0 < chart.budget < chart.amounts[-1].at + 20


def test_the_chart_is_told_in_words() -> None:
    chart = chart_of(_day(), MIDNIGHT + timedelta(minutes=90))

    assert chart.words == (
        "0.20 EUR of the day's budget were spent; the plan is 0.30 EUR by 01:30; "
        "the budget is 4.80 EUR."
    )
