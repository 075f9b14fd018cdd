"""What others take to score the same candidates: as many trees, fitted to the same examples."""

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import ensemble  # type: ignore[import-untyped] # nor has scikit-learn

from myriorama.bench.outcome import Progress, median
from ranking.forest import Forest
from ranking.heads import HEAD_INDEX
from ranking.training.examples import Examples
from ranking.training.forests import exported

Matrix = NDArray[np.float32]

_ROUNDS = 30


def measure(
    examples: Examples, rows: Matrix, trees: Mapping[str, int], progress: Progress
) -> Mapping[str, float | None]:
    """Return how many ms scikit-learn, LightGBM and our forests take for the rows, in turns.

    `trees` says how many there are of each head; those that are no head (the order) count as
    `watch`. What is not installed takes None.
    """
    heads = [(name if name in HEAD_INDEX else "watch", count) for name, count in trees.items()]
    fitted = [_sklearn(examples, head, count) for head, count in heads]
    forests: list[Forest] = [exported(model) for model in fitted]
    boosters = [_lightgbm(examples, head, count) for head, count in heads]
    took: dict[str, list[float]] = {"sklearn": [], "lightgbm": [], "our_forests": []}
    for _ in range(_ROUNDS):
        took["sklearn"].append(_ms(lambda: [model.predict_proba(rows) for model in fitted]))
        took["our_forests"].append(_ms(lambda: [forest.score(rows) for forest in forests]))
        if None not in boosters:
            took["lightgbm"].append(
                _ms(lambda: [booster.predict(rows, num_threads=1) for booster in boosters])
            )
    found = {name: median(times) if times else None for name, times in took.items()}
    progress(f"{len(heads)} forests, {len(rows)} rows: {found}")
    return found


def timed(call: Callable[[], object], rounds: int) -> list[float]:
    """Return how many ms each of so many calls took, after some that are not counted."""
    for _ in range(10):
        call()
    return [_ms(call) for _ in range(rounds)]


def _sklearn(examples: Examples, head: str, trees: int) -> Any:
    how: dict[str, Any] = {"max_leaf_nodes": 15, "max_depth": 5, "early_stopping": False}
    booster: Any = ensemble.HistGradientBoostingClassifier(max_iter=trees, **how)
    return booster.fit(examples.features, examples.label(head))


def _lightgbm(examples: Examples, head: str, trees: int) -> Any:
    if find_spec("lightgbm") is None:  # it belongs to the `benchmark` extra
        return None
    lightgbm: Any = import_module("lightgbm")
    given = lightgbm.Dataset(examples.features, examples.label(head).astype(np.int8))
    how = {"num_leaves": 15, "max_depth": 5, "objective": "binary", "num_threads": 1, "verbose": -1}
    return lightgbm.train(how, given, num_boost_round=trees)


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)
