"""Stage 1: one linear model a head, over all candidates, as one product of matrices."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

Matrix = NDArray[np.float32]

CLIP = 5.0
"""So many standard deviations from its mean a feature counts as at most."""

_AT_ONCE = 64


class Linear(NamedTuple):
    """Log odds of each head: the standardised features times `weights`, plus `start`.

    `means` and `scales` are (features,), `weights` (features, heads), `start` (heads,).
    """

    means: NDArray[np.float64]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]
    start: NDArray[np.float64]

    def standardised(self, features: Matrix) -> NDArray[np.float64]:
        """Return the features in standard deviations from their means, outliers cut off."""
        return np.clip((features - self.means) / self.scales, -CLIP, CLIP)

    def log_odds(self, features: Matrix) -> NDArray[np.float64]:
        """Return the log odds of each head for each row, (rows, heads)."""
        # Summed row by row: what a row has does not depend on how many others there are.
        columns = np.flatnonzero(self.weights.any(axis=1))
        return _log_odds(
            np.ascontiguousarray(features), columns, self.means, self.scales, self.weights,
            self.start,
        )  # fmt: skip


def probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of log odds."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))


@compiled
def _log_odds(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    features: Matrix,
    columns: NDArray[np.int64],
    means: NDArray[np.float64],
    scales: NDArray[np.float64],
    weights: NDArray[np.float64],
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    odds = np.empty((len(features), len(start)))
    values, sums = np.zeros((len(columns), _AT_ONCE)), np.empty(_AT_ONCE)
    for begin in range(0, len(features), _AT_ONCE):
        count = min(_AT_ONCE, len(features) - begin)
        for place in range(len(columns)):
            mean, scale = means[columns[place]], scales[columns[place]]
            for row in range(count):
                value = (features[begin + row, columns[place]] - mean) / scale
                values[place, row] = min(max(value, -CLIP), CLIP)
        for head in range(len(start)):
            sums[:] = start[head]
            for place in range(len(columns)):
                weight = weights[columns[place], head]
                for row in range(_AT_ONCE):
                    sums[row] += values[place, row] * weight
            for row in range(count):
                odds[begin + row, head] = sums[row]
    return odds
