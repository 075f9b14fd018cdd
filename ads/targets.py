"""By when how much of a line's budget should be spent: along the value that is forecast to come.

Neither the clock nor the traffic says when a budget does most: what counts is the value of the
opportunities a line is eligible for, and would win, in each part of the day. A plan replays the
auctions of the day before with today's budgets and one multiplier a line; where that spends, the
line is to spend. Folded by the pacer, once a day and whenever a budget changes.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ads.compiled import compiled
from ads.welfare import Array, Market, bound

Mode = Literal["even", "asap", "front"]
"""Along the value; at once; along the value, but the earlier half gets three quarters."""

SLICES = 48
_PRIOR_WINS = 500.0
_ROUNDS = 80


class Forecast(NamedTuple):
    """The share of a day's value that has come by the end of each slice: (slices + 1, lines)."""

    cumulative: Array

    def share_at(self, day_share: ArrayLike) -> Array:
        """Return the share of each line's value that has come by then, in [0, 1].

        Args:
            day_share: the part of the day that has passed, of all lines or of each.
        """
        slices, lines = len(self.cumulative) - 1, self.cumulative.shape[1]
        passed = np.broadcast_to(np.asarray(day_share, np.float64), lines)
        place = np.clip(passed, 0.0, 1.0) * slices
        low = np.minimum(place.astype(np.int64), slices - 1)
        columns: NDArray[np.int64] = np.arange(lines, dtype=np.int64)
        before, after = self.cumulative[low, columns], self.cumulative[low + 1, columns]
        share: Array = before + (after - before) * (place - low)
        return share


class Plan(NamedTuple):
    """What a day begins with: multipliers of bids, and the forecast of when they spend."""

    multipliers: Array
    forecast: Forecast


def plan(yesterday: Market, slices: int = SLICES, open_slices: ArrayLike | None = None) -> Plan:
    """Replay a day's recorded auctions with the budgets that the market names.

    The budgets are of what was recorded: today's times the share of its auctions in the record.
    """
    multipliers = bound(yesterday, _ROUNDS).multipliers
    won, wins = _won(yesterday.values, yesterday.prices, multipliers, slices)
    return Plan(multipliers, forecast(won, wins, open_slices))


def forecast(won: ArrayLike, wins: ArrayLike, open_slices: ArrayLike | None = None) -> Forecast:
    """Return when value comes, by (slices, lines) of value won and (lines,) counts of wins.

    A line that won little is noise, so its own shape gives way to that of all lines together, as
    if that had been seen in 500 wins of its own; if nobody won anything the day is even.

    Args:
        won: values, of any unit.
        wins: how many each line's are made of.
        open_slices: (slices, lines) shares of each slice in which the line's schedule lets it run.
    """
    values, counts = np.asarray(won, np.float64), np.asarray(wins, np.float64)
    together = _shares(values.sum(axis=1, keepdims=True))
    weight = counts / (counts + _PRIOR_WINS)
    shape = _shares(values, otherwise=together) * weight + together * (1 - weight)
    if open_slices is not None:
        allowed = np.asarray(open_slices, np.float64)
        shape = _shares(shape * allowed, otherwise=_shares(allowed))
    begun = np.zeros((1, values.shape[1]))
    return Forecast(np.minimum(np.vstack([begun, shape.cumsum(axis=0)]), 1.0))


def target(mode: Mode, share: ArrayLike) -> Array:
    """Return the share of the budget that should be spent when this share of the value has come."""
    come = np.clip(np.asarray(share, np.float64), 0.0, 1.0)
    match mode:
        case "even":
            return come
        case "asap":
            return np.ones_like(come)
        case "front":
            return 1.0 - (1.0 - come) ** 2


def onward(come: ArrayLike, begun: ArrayLike, reached: ArrayLike) -> Array:
    """Return the share to be spent by now of a plan that was made in the middle of a day.

    Args:
        come: the share of the day's target by now.
        begun: that share when the plan was made.
        reached: the share of the budget that was to be spent by then.
    """
    start, left = np.asarray(begun, np.float64), 1.0 - np.asarray(begun, np.float64)
    ahead = np.where(left > 0, (np.asarray(come) - start) / np.where(left > 0, left, 1.0), 1.0)
    before = np.asarray(reached, np.float64)
    share: Array = before + (1.0 - before) * np.clip(ahead, 0.0, 1.0)
    return share


def daily_slice_micros(left_micros: int, value_today: float, value_later: float) -> int:
    """Return today's part of what is left of a lifetime budget: by the value of today and after.

    Solved anew each day, so what one day leaves is spread over all that remain. The last day
    gets everything; without a forecast so does today, since caps hold anyway.
    """
    whole = max(value_today, 0.0) + max(value_later, 0.0)
    if left_micros <= 0:
        return 0
    if value_later <= 0 or whole <= 0:
        return left_micros
    return min(left_micros, int(left_micros * (max(value_today, 0.0) / whole)))


def _shares(values: Array, otherwise: Array | None = None) -> Array:
    """Return each column over its sum; where that is zero, another's shares, or even ones."""
    sums = values.sum(axis=0)
    even = np.full_like(values, 1 / len(values)) if otherwise is None else otherwise
    return np.where(sums > 0, values / np.where(sums > 0, sums, 1.0), even)


@compiled
def _won(values: Any, prices: Any, multipliers: Any, slices: int) -> tuple[Any, Any]:
    lines, auctions = len(multipliers), len(prices)
    won = np.zeros((slices, lines))
    wins = np.zeros(lines)
    for place in range(auctions):
        winner, best = -1, prices[place]
        for line in range(lines):
            shaded = values[place, line] * multipliers[line]
            if shaded > best:
                winner, best = line, shaded
        if winner >= 0:
            won[place * slices // auctions, winner] += values[place, winner]
            wins[winner] += 1.0
    return won, wins
