"""GPU budgets: whether the house has rendered as much as a day may cost.

Read by the API, to tell those who wait why, and when it goes on.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.budget.events import (
    GpuBudgetEvent,
    GpuBudgetExhausted,
    GpuBudgetOpened,
    GpuBudgetRenewed,
)
from projections.projection import Projection, Recorded

OPEN = "INSERT INTO gpu_budgets (budget_id, position) VALUES (%s, %s)"

EXHAUST = """
    UPDATE gpu_budgets SET exhausted_on = %s, spent_ms = %s, budget_ms = %s, position = %s
    WHERE budget_id = %s
"""

RENEW = """
    UPDATE gpu_budgets SET exhausted_on = NULL, spent_ms = NULL, budget_ms = NULL, position = %s
    WHERE budget_id = %s
"""


class GpuBudgets(Projection[GpuBudgetEvent]):
    """One row, once there has been a budget. `exhausted_on` is the day, while the brake is on."""

    name = "gpu_budgets"
    tables = ("gpu_budgets",)
    topics = (GpuBudgetOpened.TOPIC, GpuBudgetExhausted.TOPIC, GpuBudgetRenewed.TOPIC)

    def fold(self, events: Sequence[Recorded[GpuBudgetEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event, position = recorded.event, recorded.position
            match event:
                case GpuBudgetOpened():
                    cursor.execute(OPEN, (event.originator_id, position))
                case GpuBudgetExhausted():
                    spent = (event.day, event.spent_ms, event.budget_ms)
                    cursor.execute(EXHAUST, (*spent, position, event.originator_id))
                case GpuBudgetRenewed():
                    cursor.execute(RENEW, (position, event.originator_id))
                case _:
                    assert_never(event)
