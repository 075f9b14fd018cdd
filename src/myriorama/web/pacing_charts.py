"""The curve of a day: where the plan and the spend of a line item lie in a chart, and in words.

Places are in percent of the chart, from its upper left corner: it is as wide as there is room.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from myriorama.web.ad_words import money

_WHOLE = 100.0
_STEPS = (1, 2, 5)
_LINES_MAX = 4
_HOURS_APART = 3
_WIDE_HOURS_APART = 6


class Tick(NamedTuple):
    """A line of the grid, and what stands at it; `is_fine`: only where there is room."""

    at: float
    words: str
    is_fine: bool


class Chart(NamedTuple):
    """A day in a chart: points of polylines ("x,y x,y"), the grid, and the same in a sentence.

    `plans` are the stretches of the day of which there is a plan, `now` is where the present
    moment is, if the day has it, `budget` where the day's budget lies.
    """

    plans: Sequence[str]
    spent: str
    area: str
    now: float | None
    budget: float | None
    amounts: Sequence[Tick]
    hours: Sequence[Tick]
    words: str


def chart_of(day: Mapping[str, Any], now: datetime) -> Chart:
    """Draw a day as `GET /v1/line-items/{id}/pacing` tells it, up to now."""
    halves: Sequence[Mapping[str, Any]] = day["half_hours"]
    begins, ends = _moment(halves[0]["begins_at"]), _moment(halves[-1]["ends_at"])
    length = (ends - begins).total_seconds()

    def across(moment: datetime) -> float:
        share = (moment - begins).total_seconds() / length
        return round(_WHOLE * min(max(share, 0.0), 1.0), 3)

    top = _top(day)

    def down(micros: int) -> float:
        return round(_WHOLE * (1 - micros / top), 3)

    over = [half for half in halves if _moment(half["begins_at"]) < now]
    spent = [(0.0, down(0))]
    spent += [
        (across(min(_moment(half["ends_at"]), now)), down(half["spent_total_micros"]))
        for half in over
    ]
    budget = day["budget_micros"]
    return Chart(
        [_points(points) for points in _plans(halves, across, down)],
        _points(spent),
        _points([(0.0, _WHOLE), *spent, (spent[-1][0], _WHOLE)]),
        across(now) if begins <= now < ends else None,
        down(budget) if budget is not None and budget <= top else None,
        list(_amounts(top, day["currency"])),
        list(_hours(halves, across, ZoneInfo(day["zone"]))),
        _words(day, over),
    )


def _plans(
    halves: Sequence[Mapping[str, Any]], across: Any, down: Any
) -> Iterator[list[tuple[float, float]]]:
    for is_planned, of_stretch in groupby(
        halves, key=lambda half: half["plan_total_micros"] is not None
    ):
        if is_planned:
            stretch = list(of_stretch)
            first = stretch[0]
            points = [
                (across(_moment(half["ends_at"])), down(half["plan_total_micros"]))
                for half in stretch
            ]
            # A plan that was made within a half hour says nothing of its beginning.
            if first["plan_micros"] is not None:
                begun = first["plan_total_micros"] - first["plan_micros"]
                points.insert(0, (across(_moment(first["begins_at"])), down(begun)))
            yield points


def _top(day: Mapping[str, Any]) -> int:
    """Return the amount at the upper edge: no curve, nor the budget, lies above it."""
    highest: int = max(
        day["budget_micros"] or 0,
        *(half["plan_total_micros"] or 0 for half in day["half_hours"]),
        *(half["spent_total_micros"] for half in day["half_hours"]),
        1,
    )
    return highest + highest // 8 + 1


def _amounts(top: int, currency: str) -> Iterator[Tick]:
    step = next(
        step * 10**power
        for power in range(20)
        for step in _STEPS
        if top / (step * 10**power) <= _LINES_MAX + 1
    )
    for number, micros in enumerate(range(step, top, step)):
        at = round(_WHOLE * (1 - micros / top), 3)
        yield Tick(at, money(micros, currency), is_fine=number % 2 == 0)


def _hours(halves: Sequence[Mapping[str, Any]], across: Any, zone: ZoneInfo) -> Iterator[Tick]:
    for half in halves:
        moment = _moment(half["begins_at"])
        there = moment.astimezone(zone)
        if there.minute == 0 and there.hour % _HOURS_APART == 0:
            yield Tick(
                across(moment), f"{there:%H:%M}", is_fine=there.hour % _WIDE_HOURS_APART != 0
            )


def _words(day: Mapping[str, Any], over: Sequence[Mapping[str, Any]]) -> str:
    """Tell the chart to who does not see it."""
    currency = day["currency"]
    said = f"{money(day['spent_micros'], currency)} of the day's budget were spent"
    planned = over[-1]["plan_total_micros"] if over else None
    if planned is not None:
        there = _moment(over[-1]["ends_at"]).astimezone(ZoneInfo(day["zone"]))
        said += f"; the plan is {money(planned, currency)} by {there:%H:%M}"
    if day["budget_micros"] is not None:
        said += f"; the budget is {money(day['budget_micros'], currency)}"
    return f"{said}."


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
