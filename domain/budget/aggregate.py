"""The rules of the GPU budget: a brake that a day's rendering sets and the next day takes off."""

from datetime import date, datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.budget.events import (
    GpuBudgetEvent,
    GpuBudgetExhausted,
    GpuBudgetOpened,
    GpuBudgetRenewed,
)
from domain.identity import named


class GpuBudget(Aggregate):
    """The one of the house."""

    TOPIC = "budget"

    def __init__(self) -> None:
        # The day on which it was exhausted, until it is renewed.
        self.exhausted_on: str | None = None

    @staticmethod
    def identify() -> UUID:
        """Return the ID of the house's budget."""
        return named("budget", "gpu")

    @classmethod
    def open(cls, *, at: datetime) -> Self:
        return cls.begin(GpuBudgetOpened, cls.identify(), at)

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing new may begin."""
        return self.exhausted_on is not None

    def settle(self, day: date, *, spent_ms: int, budget_ms: int, at: datetime) -> None:
        """Set the brake or take it off, by what `day` has cost so far. As it is records nothing.

        Args:
            day: the present one, in UTC.
            spent_ms: what was rendered on it.
            budget_ms: what a day may cost; 0: whatever it will.
            at: when.
        """
        is_over = 0 < budget_ms <= spent_ms
        today = day.isoformat()
        if self.is_exhausted and (not is_over or self.exhausted_on != today):
            self.trigger(GpuBudgetRenewed, at, day=today)
        if is_over and not self.is_exhausted:
            self.trigger(GpuBudgetExhausted, at, day=today, spent_ms=spent_ms, budget_ms=budget_ms)

    def evolve(self, event: GpuBudgetEvent) -> None:
        match event:
            case GpuBudgetOpened():
                pass
            case GpuBudgetExhausted():
                self.exhausted_on = event.day
            case GpuBudgetRenewed():
                self.exhausted_on = None
            case _:
                assert_never(event)
