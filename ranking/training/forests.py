"""Fits gradient-boosted trees with scikit-learn, and brings them into the form that is scored.

Depth 5, many small steps, each tree on a part of the columns; several such forests of different
seeds count as one, which is their mean.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (  # type: ignore[import-untyped] # scikit-learn has no types
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from ranking.forest import DEPTH, INNER, LEAVES, Forest

Matrix = NDArray[np.float32]


class Growth(NamedTuple):
    """How trees are grown."""

    trees: int = 250
    rate: float = 0.04
    leaf_rows_min: int = 100
    leaves: int = 15
    ridge: float = 5.0
    columns: float = 0.5
    seeds: int = 1


def classify(
    features: Matrix,
    label: NDArray[np.bool_],
    growth: Growth,
) -> Forest:
    """Return a forest whose score is the log odds of the label."""
    return _grown(features, label, growth, HistGradientBoostingClassifier)


def regress(
    features: Matrix,
    target: NDArray[np.float64],
    growth: Growth,
) -> Forest:
    """Return a forest whose score is the target."""
    return _grown(features, target, growth, HistGradientBoostingRegressor)


def weighted(forests: Sequence[Forest], weights: Sequence[float]) -> Forest:
    """Return one forest whose score is the weighted sum of those of several."""
    pairs = list(zip(forests, weights, strict=True))
    return Forest(
        columns=np.concatenate([forest.columns for forest in forests]),
        limits=np.concatenate([forest.limits for forest in forests]),
        leaves=np.concatenate([forest.leaves * weight for forest, weight in pairs]),
        means=np.concatenate([forest.means * weight for forest, weight in pairs]),
        start=sum(forest.start * weight for forest, weight in pairs),
    )


def exported(boosted: Any) -> Forest:
    """Return a fitted booster of scikit-learn as perfect trees.

    Raises:
        ValueError: it has deeper trees than are scored, or more than one score a row.
    """
    rounds: Sequence[Sequence[Any]] = boosted._predictors  # noqa: SLF001 - it exports them nowhere else
    start = float(np.ravel(boosted._baseline_prediction)[0])  # noqa: SLF001 - as above
    forest = Forest(
        columns=np.zeros((len(rounds), INNER), np.int32),
        limits=np.full((len(rounds), INNER), np.inf, np.float32),
        leaves=np.zeros((len(rounds), LEAVES), np.float64),
        means=np.zeros((len(rounds), INNER), np.float64),
        start=start,
    )
    for number, trees in enumerate(rounds):
        if len(trees) != 1:
            raise ValueError("A forest has one score a row.")
        _place(forest, number, trees[0].nodes, 0, 0, 0)
    return forest


def _settings(growth: Growth) -> Mapping[str, Any]:
    return {
        "max_iter": growth.trees,
        "learning_rate": growth.rate,
        "max_depth": DEPTH,
        "max_leaf_nodes": growth.leaves,
        "min_samples_leaf": growth.leaf_rows_min,
        "l2_regularization": growth.ridge,
        "max_features": growth.columns,
        "early_stopping": False,
    }


def _grown(
    features: Matrix,
    outcome: NDArray[np.bool_] | NDArray[np.float64],
    growth: Growth,
    booster: Callable[..., Any],
) -> Forest:
    """Return the mean of forests of several seeds."""
    # Columns that never vary would only stand in the way of those that are drawn for a tree.
    columns = np.flatnonzero((features != features[:1]).any(axis=0))
    columns = columns if len(columns) else np.zeros(1, np.int64)
    varying = np.ascontiguousarray(features[:, columns])
    forests = [
        exported(booster(random_state=seed, **_settings(growth)).fit(varying, outcome))
        for seed in range(growth.seeds)
    ]
    mean = weighted(forests, [1 / growth.seeds] * growth.seeds)
    return mean._replace(columns=columns[mean.columns].astype(np.int32))


def _place(  # noqa: PLR0913, PLR0917 - where from, and where to
    forest: Forest, tree: int, nodes: Any, node: int, place: int, level: int
) -> float:
    """Copy the tree below a node to below a place; return the mean of its rows."""
    own = nodes[node]
    if level > DEPTH:
        raise ValueError(f"The trees are deeper than {DEPTH}.")
    if own["is_leaf"]:
        value = float(own["value"])
        _fill(forest, tree, place, value)
        return value
    if level == DEPTH:
        raise ValueError(f"The trees are deeper than {DEPTH}.")
    left, right = int(own["left"]), int(own["right"])
    forest.columns[tree, place] = own["feature_idx"]
    forest.limits[tree, place] = _float_below(float(own["num_threshold"]))
    means = (
        _place(forest, tree, nodes, left, 2 * place + 1, level + 1),
        _place(forest, tree, nodes, right, 2 * place + 2, level + 1),
    )
    mean = float(np.average(means, weights=[nodes[left]["count"], nodes[right]["count"]]))
    forest.means[tree, place] = mean
    return mean


def _fill(forest: Forest, tree: int, place: int, value: float) -> None:
    """Repeat a leaf in all places below its own."""
    if place >= INNER:
        forest.leaves[tree, place - INNER] = value
        return
    forest.means[tree, place] = value
    _fill(forest, tree, 2 * place + 1, value)
    _fill(forest, tree, 2 * place + 2, value)


def _float_below(limit: float) -> np.float32:
    """Return the largest float32 that is not above a limit: the same rows stay at or below it."""
    near = np.float32(limit)
    return near if float(near) <= limit else np.nextafter(near, np.float32(-np.inf))
