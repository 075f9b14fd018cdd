"""A ranker: predicts what a viewer would do with each candidate; the model, or the formula without.

All predictions are probabilities, (candidates, heads) float32 in the order of `ranking.heads`.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities

Matrix = NDArray[np.float32]


class Ranker(Protocol):
    """Two stages: one that is cheap, over all candidates, and one over the best of them."""

    @property
    def digest(self) -> str:
        """What names the ranker in the slate log."""
        ...

    @property
    def affinities(self) -> Affinities | None:
        """What the sources and features know of videos that are watched by the same people."""
        ...

    def first(self, features: Matrix, /) -> Matrix:
        """Predict by the first stage."""
        ...

    def second(self, features: Matrix, /) -> Matrix:
        """Predict by the second stage."""
        ...

    def utility(self, predictions: Matrix, weights: Mapping[str, float], /) -> Matrix:
        """Return what each candidate is worth, (candidates,) float32, by the weights of actions."""
        ...

    def contributions(
        self, features: Matrix, weights: Mapping[str, float], predictions: Matrix, /
    ) -> Matrix:
        """Return what each feature adds to what a candidate is worth, (candidates, features).

        `predictions` are what the second stage said of these candidates.
        """
        ...
