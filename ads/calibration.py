"""Calibration: from a log-odds that orders well to a probability that money can be counted by.

Fitted offline on what the model has not learnt of, applied as a table of knots. Isotonic where
there are outcomes enough to draw the curve, Platt's two numbers where there are not. In either
case the sum of the probabilities is the sum of the outcomes it was fitted on.
"""

import numpy as np
from numpy.typing import NDArray

from ads.compiled import borrowing

Floats = NDArray[np.float64]

LOW, HIGH, KNOTS = -14.0, 8.0, 177
"""The log-odds at the ends of a table, and how many knots there are, both ends included."""

P_MIN, P_MAX = 1e-6, 1.0 - 1e-6
"""Below, the price of an event would be beyond any bid; above, nothing is so sure."""

STEPS = (KNOTS - 1) / (HIGH - LOW)
"""How many knots there are to a unit of log-odds."""

_ISOTONIC_OUTCOMES_MIN = 1000
# What each block of the curve is drawn to Platt's line by, in examples.
_PRIOR = 30.0
_TURNS_MAX = 60


@borrowing
def applied(table: Floats, logit: float) -> float:
    """Return the probability of a log-odds: linear between knots, flat beyond the ends."""
    place = (logit - LOW) * STEPS
    if not place > 0.0:
        return float(table[0])
    knot = int(place)
    if knot >= KNOTS - 1:
        return float(table[KNOTS - 1])
    share = place - knot
    return float(table[knot] + share * (table[knot + 1] - table[knot]))


def knots() -> Floats:
    """Return the log-odds of the knots of a table."""
    return np.linspace(LOW, HIGH, KNOTS)


def identity() -> Floats:
    """Return the table that believes the log-odds: for what nothing has been learnt of."""
    return np.clip(_sigmoid(knots()), P_MIN, P_MAX)


def fit(logits: Floats, outcomes: Floats) -> Floats:
    """Return the table of these examples, (n) log-odds and (n) outcomes of 0 or 1.

    Raises:
        ValueError: there are no examples, or not as many of both, or not all are finite.
    """
    if len(logits) != len(outcomes) or not len(logits):
        raise ValueError("calibration needs a log-odds for each outcome, and one at least")
    if not (np.isfinite(logits).all() and np.isin(outcomes, (0.0, 1.0)).all()):
        raise ValueError("calibration needs finite log-odds, and outcomes of 0 or 1")
    happened = int(min(outcomes.sum(), len(outcomes) - outcomes.sum()))
    if not happened:  # never, or always: a rate is all there is
        rate = (outcomes.sum() + 0.5) / (len(outcomes) + 1.0)
        return np.full(KNOTS, min(max(rate, P_MIN), P_MAX))
    slope, intercept = platt(logits, outcomes)
    line = slope * knots() + intercept
    if happened >= _ISOTONIC_OUTCOMES_MIN:
        line = _isotonic(logits, outcomes, slope, intercept)
    return _balanced(line, logits, float(outcomes.sum()))


def platt(logits: Floats, outcomes: Floats) -> tuple[float, float]:
    """Return slope and intercept of the logistic regression of outcomes on log-odds.

    By Newton's method with Platt's targets, which keep it finite; a slope below 0 becomes 0.
    """
    positives = float(outcomes.sum())
    negatives = len(outcomes) - positives
    aims: Floats = np.where(outcomes > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    columns = np.column_stack([logits, np.ones_like(logits)])
    weights = np.array([1.0, 0.0])
    for _ in range(_TURNS_MAX):
        chances = _sigmoid(columns @ weights)
        slope: Floats = columns.T @ (chances - aims)
        curve = (columns * (chances * (1 - chances))[:, None]).T @ columns + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, slope).astype(np.float64)
        weights -= step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - as near as it gets
            break
    if weights[0] < 0:
        rate = float(aims.mean())
        return 0.0, float(np.log(rate / (1 - rate)))
    return float(weights[0]), float(weights[1])


def pooled(values: Floats, weights: Floats) -> Floats:
    """Return the non-decreasing values nearest to these in weighted squares (pool adjacent)."""
    levels, masses, lengths = list[float](), list[float](), list[int]()
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        level, mass, length = value, weight, 1
        while levels and levels[-1] >= level:
            before = masses.pop()
            level = (level * mass + levels.pop() * before) / (mass + before)
            mass += before
            length += lengths.pop()
        levels.append(level)
        masses.append(mass)
        lengths.append(length)
    return np.repeat(levels, lengths)


def _isotonic(logits: Floats, outcomes: Floats, slope: float, intercept: float) -> Floats:
    """Return the log-odds at the knots of a rising curve through the examples."""
    bins = np.clip(np.rint((logits - LOW) * STEPS), 0, KNOTS - 1).astype(np.int64)
    counts = np.bincount(bins, minlength=KNOTS).astype(np.float64)
    hits = np.bincount(bins, weights=outcomes, minlength=KNOTS)
    line = _sigmoid(slope * knots() + intercept)
    rates = (hits + _PRIOR * line) / (counts + _PRIOR)
    curve = np.clip(pooled(rates, counts + _PRIOR), P_MIN, P_MAX)
    return np.log(curve / (1 - curve))


def _balanced(line: Floats, logits: Floats, total: float) -> Floats:
    """Return the table of these log-odds, moved until its sum over the examples is the total."""
    places = knots()
    down, up = -8.0, 8.0
    for _ in range(_TURNS_MAX):
        middle = (down + up) / 2
        table = np.clip(_sigmoid(line + middle), P_MIN, P_MAX)
        if np.interp(logits, places, table).sum() > total:
            up = middle
        else:
            down = middle
    return np.clip(_sigmoid(line + (down + up) / 2), P_MIN, P_MAX)


def _sigmoid(logits: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0)))
