"""Forests of perfect trees: gradient-boosted trees in a form that is scored without branches.

Every tree has the same depth; a leaf higher up is repeated below itself. To go down is then one
addition a level: `place = 2 * place + 1 + (value > threshold)`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

DEPTH = 5
INNER = 2**DEPTH - 1
LEAVES = 2**DEPTH

Matrix = NDArray[np.float32]


class Forest(NamedTuple):
    """Trees of `DEPTH` levels; a row's score is `start` plus the leaf it reaches in each tree.

    `columns` and `limits` are (trees, INNER): at an inner node a row goes left if its value in that
    column is at most the limit. `leaves` is (trees, LEAVES), `means` (trees, INNER): what the rows
    that a node was fitted on reach on average.
    """

    columns: NDArray[np.int32]
    limits: NDArray[np.float32]
    leaves: NDArray[np.float64]
    means: NDArray[np.float64]
    start: float

    def score(self, features: Matrix) -> NDArray[np.float64]:
        """Return the score of each row."""
        return _score(
            np.ascontiguousarray(features), self.columns, self.limits, self.leaves, self.start
        )

    def contributions(self, features: Matrix) -> NDArray[np.float64]:
        """Return by how much each column moved a row's score, (rows, columns of features).

        On its way down a tree a row moves from one node's mean to the next; the difference is the
        doing of the column that was asked. They add up to the score less that of the average row.
        """
        rows = np.ascontiguousarray(features)
        return _contributions(rows, self.columns, self.limits, self.leaves, self.means)


@compiled
def _score(
    features: Matrix,
    columns: NDArray[np.int32],
    limits: NDArray[np.float32],
    leaves: NDArray[np.float64],
    start: float,
) -> NDArray[np.float64]:
    scores = np.full(len(features), start)
    for tree in range(len(columns)):
        of, limit, leaf = columns[tree], limits[tree], leaves[tree]
        for row in range(len(features)):
            place = np.int64(0)
            for _ in range(DEPTH):
                place = 2 * place + 1 + np.int64(features[row, of[place]] > limit[place])
            scores[row] += leaf[place - INNER]
    return scores


@compiled
def _contributions(
    features: Matrix,
    columns: NDArray[np.int32],
    limits: NDArray[np.float32],
    leaves: NDArray[np.float64],
    means: NDArray[np.float64],
) -> NDArray[np.float64]:
    moved = np.zeros(features.shape)
    for tree in range(len(columns)):
        for row in range(len(features)):
            place = np.int64(0)
            for _ in range(DEPTH):
                column = columns[tree, place]
                after = 2 * place + 1 + np.int64(features[row, column] > limits[tree, place])
                mean = means[tree, after] if after < INNER else leaves[tree, after - INNER]
                moved[row, column] += mean - means[tree, place]
                place = after
    return moved
