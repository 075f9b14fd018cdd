"""Days of lines that compete for the auctions of a log, and what a pacing makes of one.

Forty lines value each auction by its prediction, their own bid and their own liking, and are
eligible for a part; who wins has to beat the price that the log says it took. Budgets are unequal
and together a third of what would be spent without them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ads.compiled import compiled
from ads.welfare import Array, Market, bound
from myriorama.bench.pacing_logs import AuctionLog, wandering

LINES = 40
CHECKPOINTS = 100
STEPS = 8000
"""A day is steered in so many steps: every eleven seconds of one."""

PRICES_MIN = 200
"""A line whose budget is of fewer prices is not paced but lumpy; its path is not judged."""

_SHARE = 0.35
_BUDGET_MIN = 0.002
_BINDING = 1 - 1e-3


class Steered(Protocol):
    """What decides, a step ahead, how each line bids."""

    def step(self, day_share: float, spent: Array) -> Array:
        """Return the multipliers of bids until the next step."""
        ...


class Days(NamedTuple):
    """A day to pace, the day before to learn of, and what hindsight would have made of it."""

    yesterday: Market
    today: Market
    welfare_max: float
    hindsight: Array
    judged: NDArray[np.bool_]


class Run(NamedTuple):
    """What was gained, and the share of each budget that was spent by each checkpoint."""

    welfare: float
    spent: Array
    path: Array


def days_alike(log: AuctionLog, seed: int, error: float) -> Days:
    """Let every third auction of the log play the day before, and the others today.

    A log has no clock, so a forecast by the hour can be had in this way alone. The days are
    alike but for the noise of their draws and an `error`: yesterday's values and prices wander
    off by this deviation each.
    """
    chance = np.random.default_rng(seed)
    values = _values(log, chance)
    before = np.arange(len(log.prices)) % 3 == 0
    rows = int(before.sum())
    valued = values[before] * wandering(rows, chance, error)[:, None]
    prices = log.prices[before] * wandering(rows, chance, error)
    return _days(valued.astype(np.float32), prices, values[~before], log.prices[~before], seed=seed)


def days_in_order(log: AuctionLog, seed: int) -> Days:
    """Let the first third of the log play the day before: all that drifts comes as a surprise."""
    values = _values(log, np.random.default_rng(seed))
    cut = len(log.prices) // 3
    return _days(values[:cut], log.prices[:cut], values[cut:], log.prices[cut:], seed=seed)


def paced(market: Market, steered: Steered, admits: Callable[[int], Any] | None = None) -> Run:
    """Run a day: hard caps, and multipliers that are new at every step.

    Args:
        market: the day.
        steered: returns the multipliers.
        admits: returns, of so many auctions, which lines take part in which, as (n, lines).
    """
    auctions, lines = market.values.shape
    left, spent = market.budgets.copy(), np.zeros(lines)
    edges = [auctions * place // STEPS for place in range(STEPS + 1)]
    welfare, path = 0.0, list[Array]()
    for place in range(STEPS):
        start, end = edges[place], edges[place + 1]
        multipliers = steered.step(place / STEPS, spent)
        values = market.values[start:end]
        if admits is not None:
            values = values * admits(end - start)
        welfare += _auctions(values, market.prices[start:end], multipliers, left)
        spent = market.budgets - left
        if (place + 1) % (STEPS // CHECKPOINTS) == 0:
            path.append(spent / market.budgets)
    return Run(welfare, spent, np.array(path))


def path_errors(run: Run, planned: Array, judged: NDArray[np.bool_]) -> Array:
    """Return of each judged line the greatest distance from the plan, as shares of its budget."""
    errors: Array = np.abs(run.path - planned).max(axis=0)[judged]
    return errors


def _values(log: AuctionLog, chance: np.random.Generator) -> NDArray[np.float32]:
    auctions = len(log.prices)
    bids = chance.lognormal(0, 0.5, LINES) * 0.72 * log.prices.mean() / log.predictions.mean()
    liking = chance.lognormal(0, 0.35, (auctions, LINES))
    eligible = chance.random((auctions, LINES)) < chance.uniform(0.05, 0.5, LINES)
    values = bids * log.predictions[:, None] * liking * eligible
    return np.asarray(values, np.float32)


def _days(
    valued: NDArray[np.float32],
    prices: Array,
    values: NDArray[np.float32],
    prices_today: Array,
    *,
    seed: int,
) -> Days:
    best = values.max(axis=1)
    won = best[best > prices_today]
    shares = np.random.default_rng((seed, 1)).dirichlet(np.full(LINES, 0.7)) * _SHARE
    budgets = np.maximum(shares, _BUDGET_MIN) * float(won.sum())
    today = Market(np.ascontiguousarray(values), prices_today, budgets)
    scale = len(prices) / len(prices_today)
    yesterday = Market(np.ascontiguousarray(valued), prices, budgets * scale)
    most = bound(today)
    judged = (budgets >= PRICES_MIN * float(won.mean())) & (most.multipliers < _BINDING)
    return Days(yesterday, today, most.welfare, most.multipliers, judged)


@compiled
def _auctions(values: Any, prices: Any, multipliers: Any, left: Any) -> float:
    """Sell each auction to the highest shaded value above its price, at the winner's value."""
    gained = 0.0
    for place in range(len(prices)):
        winner, best = -1, prices[place]
        for line in range(len(multipliers)):
            value = values[place, line]
            if value * multipliers[line] > best and left[line] >= value:
                winner, best = line, value * multipliers[line]
        if winner >= 0:
            left[winner] -= values[place, winner]
            gained += values[place, winner] - prices[place]
    return gained
