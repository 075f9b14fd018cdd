"""Plans of days: bids follow them, whoever paces, and whatever happens in the middle of one."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest

from ads.pacing import LEAST
from myriorama.billing.pacing import LinePlan, PacedLine
from myriorama.workers.pacing_plans import Pacing

DAY = date(2026, 11, 22)
MINUTE_MS = 60_000
BUDGET = 10_000_000
LINE = PacedLine(
    line_id=UUID(int=1),
    campaign_id=UUID(int=2),
    advertiser_id=UUID(int=3),
    zone="UTC",
    day=DAY.toordinal(),
    mode="even",
    guaranteed=False,
    daily_micros=BUDGET,
    lifetime_micros=1 << 40,
    spent_micros=0,
    spent_today_micros=0,
    issued_micros=0,
    campaign_micros=1 << 60,
    campaign_spent_micros=0,
    advertiser_micros=1 << 60,
    advertiser_spent_micros=0,
    ends_at=None,
    campaign_ends_at=None,
)


def at(hour: float) -> int:
    return round(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000 + hour * 3_600_000)


def traffic(_hour: float) -> float:
    """Return how much a whole bid spends in a minute: three budgets a day."""
    return 3 * BUDGET / 1440


def lived(
    pacing: Pacing,
    line: PacedLine,
    hours: tuple[float, float],
    spends: Callable[[float], float] = traffic,
) -> tuple[PacedLine, list[float]]:
    """Pace from minute to minute; return the line after it, and the share spent by each."""
    bid, path = 1.0, list[float]()
    for minute in range(round(hours[0] * 60), round(hours[1] * 60)):
        bid = pacing.step([line], at(minute / 60)).multipliers.get(line.line_id, bid)
        # The higher a bid, the more is won of what there is: as where prices are spread evenly.
        more = min(round(bid * spends(minute / 60)), BUDGET - line.spent_today_micros)
        spent = line.spent_today_micros + more
        line = line._replace(spent_today_micros=spent, spent_micros=line.spent_micros + more)
        path.append(spent / BUDGET)
    return line, path


def test_an_even_line_spends_its_budget_along_the_day() -> None:
    _, path = lived(Pacing({}, {}), LINE, (0, 24))

    planned = np.arange(1, 1441) / 1440
    assert np.abs(np.array(path) - planned).max() < 0.03
    assert path[-1] > 0.98


def test_a_line_of_the_front_spends_three_quarters_in_the_first_half() -> None:
    _, path = lived(Pacing({}, {}), LINE._replace(mode="front"), (0, 24))

    assert path[719] == pytest.approx(0.75, abs=0.03)


def test_a_line_in_haste_bids_all_of_its_bid_until_nothing_is_left() -> None:
    _, path = lived(Pacing({LINE.line_id: 0.1}, {}), LINE._replace(mode="asap"), (0, 12))

    assert path[480] == 1.0


def test_a_line_that_begins_in_the_afternoon_is_spread_over_what_is_left() -> None:
    _, path = lived(Pacing({}, {}), LINE, (16, 24))

    assert path[240] == pytest.approx(0.5, abs=0.05)


def test_a_budget_that_is_doubled_at_noon_is_not_spent_at_once() -> None:
    pacing = Pacing({}, {})
    line, _ = lived(pacing, LINE._replace(daily_micros=BUDGET // 2), (0, 12))

    line, path = lived(pacing, line._replace(daily_micros=BUDGET), (12, 24))

    assert path[0] == pytest.approx(0.25, abs=0.02)
    assert path[360] == pytest.approx(0.625, abs=0.04)


def test_who_takes_over_goes_on_with_what_was_published_and_planned() -> None:
    before = Pacing({}, {})
    line, _ = lived(before, LINE, (0, 12))
    known = before.step([line], at(12))
    published = {LINE.line_id: 0.34}
    plan = LinePlan(LINE.line_id, LINE.day, "even", BUDGET, np.linspace(0, 1, 49), 0.0, 0.0)

    takes_over = Pacing(published, {LINE.line_id: plan}).step([line], at(12))

    assert takes_over.plans == []
    assert takes_over.multipliers.get(LINE.line_id, 0.34) == pytest.approx(0.34, rel=0.1)
    assert known.plans == []


def test_a_day_begins_with_what_the_day_before_ended_at() -> None:
    pacing = Pacing({}, {})
    line, _ = lived(pacing, LINE, (0, 24))
    tomorrow = line._replace(day=LINE.day + 1, spent_today_micros=0)

    stepped = pacing.step([tomorrow], at(24))

    assert 0.2 < stepped.multipliers.get(LINE.line_id, 0.3) < 0.5
    assert [plan.day for plan in stepped.plans] == [LINE.day + 1]


def test_a_line_without_money_bids_the_least() -> None:
    broke = LINE._replace(advertiser_micros=0)

    assert Pacing({}, {}).step([broke], at(1)).multipliers == {LINE.line_id: pytest.approx(LEAST)}


def test_a_guaranteed_line_bids_by_how_much_of_what_comes_it_needs() -> None:
    hasty = Pacing({}, {}).step([LINE._replace(guaranteed=True)], at(12))

    assert hasty.multipliers == {LINE.line_id: 1.0}


def test_what_does_not_change_is_not_published_again() -> None:
    pacing = Pacing({}, {})
    pacing.step([LINE._replace(mode="asap")], at(1))

    assert pacing.step([LINE._replace(mode="asap")], at(1.01)).multipliers == {}


def test_a_day_is_told_by_half_hours_from_where_its_plan_begins() -> None:
    afternoon = LINE._replace(zone="Europe/Berlin", day=date(2026, 10, 25).toordinal())
    # Clocks went back that night, so that at 16:15 in Berlin it is the 35th half hour of 50.
    quarter_past_four = round(datetime(2026, 10, 25, 15, 15, tzinfo=UTC).timestamp() * 1000)

    (told,) = Pacing({}, {}).step([afternoon], quarter_past_four).days

    planned, multipliers = told.planned, told.multipliers
    assert (len(planned), len(multipliers), told.half) == (51, 50, 34)
    assert planned[:34] == [None] * 34
    assert (planned[34], planned[-1]) == (0, BUDGET)
    steps = np.diff([micros or 0 for micros in planned[34:]])
    assert steps[0] == pytest.approx(steps[1] / 2, abs=2)
    assert np.ptp(steps[1:]) <= 2
    assert [n for n, one in enumerate(multipliers) if one] == [34]
