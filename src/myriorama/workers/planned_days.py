"""The rest of a day as a plan has it, by half hours, for advertisers to see."""

from bisect import bisect_right
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from ads.days import half_hours_ms
from ads.opportunities import Day
from ads.targets import Forecast, onward, target
from myriorama.billing.pacing import LinePlan, PlannedDay


def planned_day(plan: LinePlan, zone: str, multiplier: float) -> PlannedDay:
    """Return what is to be spent by the end of each half hour from when the plan was made."""
    edges = half_hours_ms(date.fromordinal(plan.day), ZoneInfo(zone))
    day = Day(edges[0], edges[-1])
    passed = [day.share(edge) for edge in edges]
    half = min(bisect_right(passed, plan.passed), len(edges) - 1) - 1
    shape = Forecast(np.repeat(plan.shape[:, np.newaxis], len(edges), axis=1))
    come = target(plan.mode, shape.share_at(passed))
    begun = target(plan.mode, shape.share_at(plan.passed))
    micros = (onward(come, begun, plan.reached) * plan.budget_micros).round().tolist()
    planned: list[int | None] = [None] * half
    planned.append(round(plan.reached * plan.budget_micros))
    planned += map(int, micros[half + 1 :])
    multipliers: list[float | None] = [None] * (len(edges) - 1)
    multipliers[half] = multiplier
    return PlannedDay(
        plan.line_id, plan.day, plan.mode, plan.budget_micros, half, planned, multipliers
    )
