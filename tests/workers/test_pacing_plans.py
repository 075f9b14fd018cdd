"""Plans of days: bids follow them, whoever paces, and whatever happens in the middle of one."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from ads.lines import Creative, Line
from ads.opportunities import Coming
from ads.pacing import LEAST
from myriorama.billing.pacing import LinePlan, PacedLine
from myriorama.workers.pacing_plans import Pacing

DAY = date(2026, 11, 22)
MINUTE_MS = 60_000
BUDGET = 10_000_000
PRICE = 5_000
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


def line_of(paced: PacedLine) -> Line:
    """Return the line of the auction that is paced so."""
    creative = Creative(UUID(int=9), "fox.mp4", 10_000, "https://shop.example.com")
    of = paced.line_id, paced.campaign_id, paced.advertiser_id
    return Line(*of, "cpm", 5_000, (creative,))


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


def auctioned(
    pacing: Pacing, lines: Sequence[PacedLine], comes: Callable[[int], bool]
) -> tuple[Sequence[PacedLine], NDArray[np.float64]]:
    """Hold an auction in each minute in which somebody comes; return the lines, and their bids."""
    chance, lines = np.random.default_rng(1), [*lines]
    bids, path = dict[UUID, float](), list[list[float]]()
    for minute in range(1440):
        bids.update(pacing.step(lines, at(minute / 60)).multipliers)
        path.append([bids[line.line_id] for line in lines])
        if not comes(minute):
            continue
        # Others ask for any part of a bid alike; of equal bids, each is as likely to win.
        drawn: list[int] = chance.permutation(len(lines)).tolist()
        asked = chance.random()
        willing = [
            row
            for row in drawn
            if path[-1][row] > asked
            and lines[row].spent_today_micros < (lines[row].daily_micros or 0)
        ]
        if willing:
            won = max(willing, key=path[-1].__getitem__)
            spent = lines[won].spent_today_micros + PRICE
            lines[won] = lines[won]._replace(spent_today_micros=spent, spent_micros=spent)
    return lines, np.array(path)


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


def test_a_guaranteed_line_gets_what_is_owed_on_a_day_that_is_too_short_for_even_lines() -> None:
    even = [
        LINE._replace(line_id=UUID(int=number), daily_micros=250 * PRICE) for number in range(4)
    ]
    lines = [even[0]._replace(guaranteed=True), *even[1:]]
    pacing = Pacing({}, {})
    # One opportunity a minute is expected; from noon on there are two in five minutes.
    expected = Coming(np.full((48, 4), 30.0 * PRICE), np.full(4, 1440.0), np.ones((48, 4)))
    pacing.expect([line_of(each) for each in lines], expected)

    after, _ = auctioned(pacing, lines, lambda minute: minute < 720 or minute % 5 in {0, 2})

    owed, *others = [line.spent_today_micros / (250 * PRICE) for line in after]
    assert owed > 0.98
    assert max(others) < 0.85


def test_a_few_lines_on_little_traffic_spend_their_day_without_swinging() -> None:
    lines = [
        LINE._replace(line_id=UUID(int=ads), daily_micros=ads * PRICE)
        for ads in (60, 120, 200, 400)
    ]

    after, path = auctioned(Pacing({}, {}), lines, lambda _: True)

    assert all(line.spent_today_micros > 0.97 * (line.daily_micros or 0) for line in after)
    assert path[60:].min() > 0.02
    assert (path[60:] >= 1.0).mean() < 0.05


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
