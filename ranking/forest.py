"""Forests of perfect trees: gradient-boosted trees in a form that is scored without branches.

Every tree has the same depth; a leaf higher up is repeated below itself. To go down is then one
addition a level: `place = 2 * place + 1 + (value > threshold)`. All nodes of a tree are asked of
many rows at once, which is faster still than to ask only those that a row comes by.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

DEPTH = 5
INNER = 2**DEPTH - 1
LEAVES = 2**DEPTH

_AT_ONCE = 64

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
        return self.score_across(across(features))[: len(features)]

    def score_across(self, columns: Matrix) -> NDArray[np.float64]:
        """Return the score of each row of which `across` made columns."""
        return _score(columns, self.columns, self.limits, self.leaves, self.start)

    def contributions(self, features: Matrix) -> NDArray[np.float64]:
        """Return by how much each column moved a row's score, (rows, columns of features).

        On its way down a tree a row moves from one node's mean to the next; the difference is the
        doing of the column that was asked. They add up to the score less that of the average row.
        """
        return self.contributions_across(across(features)).T[: len(features)]

    def contributions_across(self, columns: Matrix) -> NDArray[np.float64]:
        """Return the same of columns that `across` made, as such columns."""
        return _contributions(columns, self.columns, self.limits, self.leaves, self.means)


def across(features: Matrix) -> Matrix:
    """Return (columns, rows) of features, with room up to a whole number of `_AT_ONCE` rows."""
    rows = len(features)
    columns = np.zeros((features.shape[1], rows + -rows % _AT_ONCE), np.float32)
    columns[:, :rows] = features.T
    return columns


@compiled
def _reach(
    asked: Matrix,
    columns: NDArray[np.int32],
    limits: NDArray[np.float32],
    reached: NDArray[np.uint32],
) -> None:
    """Set which leaf of a tree each row reaches: what its nodes say are bits, by which it goes."""
    for row in range(len(reached)):
        reached[row] = 0
    for node in range(INNER):
        limit, bit = limits[node], np.uint32(1 << node)
        if limit == np.inf:  # nothing lies above it
            continue
        values = asked[columns[node]]
        for row in range(len(reached)):
            reached[row] |= bit if values[row] > limit else np.uint32(0)
    for row in range(len(reached)):
        answers, place = reached[row], np.uint32(0)
        for _ in range(DEPTH):
            place = np.uint32(2 * place + 1 + ((answers >> place) & np.uint32(1)))
        reached[row] = place - np.uint32(INNER)


@compiled
def _score(
    asked: Matrix,
    columns: NDArray[np.int32],
    limits: NDArray[np.float32],
    leaves: NDArray[np.float64],
    start: float,
) -> NDArray[np.float64]:
    scores = np.full(asked.shape[1], start)
    reached = np.empty(asked.shape[1], np.uint32)
    for tree in range(len(columns)):
        _reach(asked, columns[tree], limits[tree], reached)
        leaf = leaves[tree]
        for row in range(len(scores)):
            scores[row] += leaf[reached[row]]
    return scores


@compiled
def _contributions(
    asked: Matrix,
    columns: NDArray[np.int32],
    limits: NDArray[np.float32],
    leaves: NDArray[np.float64],
    means: NDArray[np.float64],
) -> NDArray[np.float64]:
    moved = np.zeros(asked.shape)
    reached = np.empty(asked.shape[1], np.uint32)
    for tree in range(len(columns)):
        _reach(asked, columns[tree], limits[tree], reached)
        for node in range(INNER):
            if limits[tree, node] == np.inf:  # both its sides are itself
                continue
            below = DEPTH  # levels from here to the leaves
            while (node + 1) >> (DEPTH + 1 - below):
                below -= 1
            after = 2 * node + 1
            if after < INNER:
                left, right = means[tree, after], means[tree, after + 1]
            else:
                left, right = leaves[tree, after - INNER], leaves[tree, after + 1 - INNER]
            left -= means[tree, node]
            right -= means[tree, node]
            first = np.uint32(((node + 1) << below) - LEAVES)
            middle, end = np.uint32(first + (1 << (below - 1))), np.uint32(first + (1 << below))
            of_column = moved[columns[tree, node]]
            for row in range(len(reached)):
                leaf = reached[row]
                step = left if leaf < middle else right
                of_column[row] += step if first <= leaf < end else 0.0
    return moved
