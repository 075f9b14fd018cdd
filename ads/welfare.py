"""The most that any pacing could have made of a day, as a bound that anyone can check.

Of each opportunity the winner's value less the price that it takes is gained, while what a line
spends, at its value, must fit into its budget. The Lagrangian dual of that programme is at least
the best that hindsight could do, whatever the multipliers: so a bound needs no trust in how they
were found, and the nearer it comes the better. Read by the benchmark and by `ads/targets.py`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads.compiled import compiled

Array = NDArray[np.float64]
Values = NDArray[np.float32]

_ROUNDS = 150
_LEAST = 1e-4
_COOLING = 15.0
_STEP = 0.5


class Market(NamedTuple):
    """The opportunities of a day in their order: (n, lines) values, (n,) prices to beat.

    A value of zero stands for a line that was not eligible. Values, prices and budgets are of
    the same unit, such as micros.
    """

    values: Values
    prices: Array
    budgets: Array


class Bound(NamedTuple):
    """No pacing gains more than `welfare`; the multipliers of bids that certify it."""

    welfare: float
    multipliers: Array


def bound(market: Market, rounds: int = _ROUNDS) -> Bound:
    """Return the least bound that was found: prices of budgets move until spend fits them."""
    multipliers = np.full(len(market.budgets), 0.3)
    best = Bound(np.inf, multipliers)
    for turn in range(rounds):
        welfare, spent = certified(market, multipliers)
        if welfare < best.welfare:
            best = Bound(welfare, multipliers)
        if not len(market.budgets):
            break
        gap = np.log(
            np.maximum(market.budgets, 1e-9) / np.maximum(spent, 1e-3 * market.budgets + 1e-9)
        )
        moved = np.log(multipliers) + _STEP / (1 + turn / _COOLING) * np.clip(gap, -2, 2)
        multipliers = np.exp(np.clip(moved, np.log(_LEAST), 0.0))
    return best


def certified(market: Market, multipliers: Array) -> tuple[float, Array]:
    """Return the bound of these multipliers in [0, 1], and what each line would spend by them.

    Weak duality: for any of them, what is gained within the budgets is at most the sum of the
    best shaded gains and of each budget times what its line was shaded by.
    """
    gained, spent = _shaded(market.values, market.prices, multipliers)
    return gained + float(((1.0 - multipliers) * market.budgets).sum()), spent


@compiled
def _shaded(values: Any, prices: Any, multipliers: Any) -> tuple[float, Any]:
    lines = len(multipliers)
    gained = 0.0
    spent = np.zeros(lines)
    for place in range(len(prices)):
        winner, best = -1, prices[place]
        for line in range(lines):
            shaded = values[place, line] * multipliers[line]
            if shaded > best:
                winner, best = line, shaded
        if winner >= 0:
            gained += best - prices[place]
            spent[winner] += values[place, winner]
    return gained, spent
