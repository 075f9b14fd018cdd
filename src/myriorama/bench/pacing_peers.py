"""Ours and what others do: as soon as may be, throttling, log-PI along the traffic, hindsight."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ads.pacing import State, step
from ads.targets import Mode, Plan, target
from ads.welfare import Array
from myriorama.bench.pacing_days import STEPS

_WINDOWS = 1000


class Paced:
    """Ours: log-PI along the plan, begun with the plan's multipliers, each line in its mode."""

    def __init__(self, plan: Plan, budgets: Array, modes: Sequence[Mode]) -> None:
        """Take the plan of the day before, and a mode for each line."""
        self._plan, self._budgets, self._modes = plan, budgets, modes
        self._asap = np.array([mode == "asap" for mode in modes])
        self._state = State.warm(plan.multipliers)

    def step(self, day_share: float, spent: Array) -> Array:
        """Return the multipliers until the next step."""
        if day_share > 0:
            planned = self.planned(day_share)
            self._state = step(self._state, spent, 0.0, self._budgets, planned, dt=1 / STEPS)
        return np.where(self._asap, 1.0, self._state.multipliers)

    def planned(self, day_share: float) -> Array:
        """Return the share of each budget that should be spent by then."""
        share = self._plan.forecast.share_at(day_share)
        return np.array([target(mode, own) for mode, own in zip(self._modes, share, strict=True)])


class Constant:
    """The same multipliers all day: ones are greedy, those of the bound are hindsight."""

    def __init__(self, multipliers: Array) -> None:
        self._multipliers = multipliers

    def step(self, day_share: float, spent: Array) -> Array:
        """Return the multipliers."""
        del day_share, spent
        return self._multipliers


class LogPI:
    """The log-domain controller as it is known: cold, along the traffic, with common gains.

    `integral` is per two-thousandth of a day.
    """

    def __init__(self, budgets: Array, proportional: float = 20.0, integral: float = 0.5) -> None:
        self._budgets, self._gains = budgets, (proportional, integral)
        self._log = np.full(len(budgets), np.log(0.2))
        self._error = np.zeros(len(budgets))

    def step(self, day_share: float, spent: Array) -> Array:
        """Return the multipliers until the next step."""
        error = spent / self._budgets - day_share
        proportional, integral = self._gains
        change = proportional * (error - self._error) + integral * error * 2000 / STEPS
        self._log = np.clip(self._log - change, np.log(1e-4), 0.0)
        self._error = error
        multipliers: Array = np.exp(self._log)
        return multipliers


class Throttled:
    """Lines that bid all or nothing, by chances that move by a tenth a thousand times a day."""

    def __init__(self, budgets: Array, seed: int) -> None:
        self._budgets = budgets
        self._chances = np.full(len(budgets), 0.1)
        self._chance = np.random.default_rng(seed)
        self._steps = 0

    def step(self, day_share: float, spent: Array) -> Array:
        """Move the chances at the end of a window; bids are whole."""
        self._steps += 1
        if self._steps % (STEPS // _WINDOWS):
            return np.ones(len(self._budgets))
        moved = np.where(
            spent / self._budgets > day_share, self._chances * 0.9, self._chances * 1.1
        )
        self._chances = np.clip(moved, 1e-3, 1.0)
        return np.ones(len(self._budgets))

    def admits(self, auctions: int) -> Any:
        """Draw which lines take part."""
        drawn = self._chance.random((auctions, len(self._budgets)), dtype=np.float32)
        return drawn < self._chances
