"""The command of the dispatcher on the GPU budget: settle the day."""

from datetime import date, datetime

from domain.budget.aggregate import GpuBudget
from myriorama.store.log import Log, retried


class GpuBudgets:
    """The brake of the house. `budget_ms` is what a day may cost; 0: whatever it will."""

    def __init__(self, log: Log, *, budget_ms: int) -> None:
        self._log = log
        self.budget_ms = budget_ms

    @retried
    def settle(self, day: date, *, spent_ms: int, at: datetime) -> bool:
        """Set the brake or take it off, if that is due; return whether it is on.

        Args:
            day: the present one, in UTC.
            spent_ms: what has been rendered on it.
            at: when.
        """
        budget = self._log.find(GpuBudget, GpuBudget.identify())
        if budget is None:
            if not 0 < self.budget_ms <= spent_ms:
                return False
            budget = GpuBudget.open(at=at)
        budget.settle(day, spent_ms=spent_ms, budget_ms=self.budget_ms, at=at)
        self._log.save(budget)
        return budget.is_exhausted
