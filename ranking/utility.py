"""Utility: what a candidate is worth, from what viewers are predicted to do and what that is worth.

Creation is the objective: the policy weighs it above all else, and watching only guards against
what nobody wants to see. Only differences within a slate count, so the mean of a slate is 0.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.policy import ACTIONS

Matrix = NDArray[np.float32]


def worths(weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the weight of each action, in the order of the heads; 0 of what is left out."""
    return np.array([weights.get(action, 0.0) for action in ACTIONS], np.float64)


def utility(predictions: Matrix, weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Return what each candidate is worth, centred within the slate."""
    return _utility(np.ascontiguousarray(predictions), worths(weights))


def expected(predictions: Matrix, weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the sum of what the actions are worth, each as likely as it is predicted."""
    total = np.zeros(len(predictions))
    for column, worth in enumerate(worths(weights)):
        if worth:
            total += predictions[:, column].astype(np.float64) * worth
    return total


def centred(
    values: NDArray[np.float64], slates: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Return values less the mean of their slate; all are one slate if none are given."""
    if not len(values):
        return values.astype(np.float32)
    if slates is None:
        slates = np.zeros(len(values), np.int64)
    means = np.bincount(slates, weights=values) / np.maximum(np.bincount(slates), 1)
    differences: NDArray[np.float64] = values - means[slates]
    return differences.astype(np.float32)


@compiled
def _utility(predictions: Matrix, worth: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return `centred(expected(...))` of one slate, in one pass."""
    total, whole = np.zeros(len(predictions)), 0.0
    for row in range(len(predictions)):
        for column in range(len(worth)):
            if worth[column] != 0.0:
                total[row] += np.float64(predictions[row, column]) * worth[column]
        whole += total[row]
    mean = whole / max(len(total), 1)
    return (total - mean).astype(np.float32)
