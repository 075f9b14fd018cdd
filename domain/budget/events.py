"""What can happen to the GPU budget of the house."""

from dataclasses import dataclass

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class GpuBudgetOpened(InitialEvent):
    """The house has a budget from now on."""

    TOPIC = "budget.opened"


@dataclass(frozen=True)
class GpuBudgetExhausted(Event):
    """As much was rendered on `day` (ISO 8601, in UTC) as a day may cost: nothing new begins."""

    TOPIC = "budget.exhausted"

    day: str
    spent_ms: int
    budget_ms: int


@dataclass(frozen=True)
class GpuBudgetRenewed(Event):
    """Another `day` has begun, or the budget was raised or lifted: what waits goes on."""

    TOPIC = "budget.renewed"

    day: str


GpuBudgetEvent = GpuBudgetOpened | GpuBudgetExhausted | GpuBudgetRenewed
