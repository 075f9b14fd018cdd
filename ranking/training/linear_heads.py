"""Fits stage 1: ridge logistic regressions of all heads by Newton's method, on a sample."""

import numpy as np
from numpy.typing import NDArray

from ranking.features import FEATURES
from ranking.heads import HEADS
from ranking.linear import Linear, probability
from ranking.training.examples import Examples

ROWS_MAX = 40_000
RIDGE = 20.0
STEPS = 6

_STEADY = 1e-6


def fit(examples: Examples) -> Linear:
    """Return linear heads; one without both outcomes says no more than how often it happens."""
    step = max(len(examples) // ROWS_MAX, 1)
    features = examples.features[::step, : len(FEATURES)]
    labels = examples.labels[::step]
    means = features.mean(axis=0, dtype=np.float64)
    scales = features.std(axis=0, dtype=np.float64)
    varies = scales > _STEADY
    linear = Linear(
        means=means,
        scales=np.where(varies, scales, 1.0),
        weights=np.zeros((features.shape[1], len(HEADS))),
        start=np.zeros(len(HEADS)),
    )
    rows = linear.standardised(features)
    rows[:, ~varies] = 0.0
    rows = np.column_stack([rows, np.ones(len(rows))])
    for head in range(len(HEADS)):
        found = _newton(rows, labels[:, head].astype(np.float64))
        linear.weights[:, head] = np.where(varies, found[:-1], 0.0)
        linear.start[head] = found[-1]
    return linear


def _newton(rows: NDArray[np.float64], outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.zeros(rows.shape[1])
    share = (outcome.sum() + 0.5) / (len(outcome) + 1)
    found[-1] = np.log(share / (1 - share))
    if not 0 < outcome.sum() < len(outcome):
        return found
    ridge = np.full(len(found), RIDGE)
    ridge[-1] = _STEADY
    for _ in range(STEPS):
        likely = probability(rows @ found)
        slope = rows.T @ (outcome - likely) - ridge * found
        bend = (rows * (likely * (1 - likely))[:, np.newaxis]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        found += step
        if np.abs(step).max() < _STEADY:
            break
    return found
