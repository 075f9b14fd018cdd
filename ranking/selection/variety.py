"""Variety: how evenly what is shown is spread over authors, lines, topics and the people in it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import Videos
from ranking.query import Serials


def entropies(videos: Videos, shown: Serials) -> Mapping[str, float]:
    """Return the variety of what was shown, of each kind 0 (all the same) to 1 (no two)."""
    _, cameos = videos.cameos_of(shown)
    return {
        "author": entropy(videos.author[shown]),
        "line": entropy(videos.line[shown]),
        "topic": entropy(videos.topic[shown]),
        "cameo": entropy(cameos),
    }


def entropy(values: NDArray[np.int32]) -> float:
    """Return the entropy of values over the highest that so many can have; of fewer than two, 1."""
    if len(values) < 2:  # noqa: PLR2004 - one cannot repeat
        return 1.0
    _, counts = np.unique(values, return_counts=True)
    shares = counts / len(values)
    return float(-np.sum(shares * np.log(shares)) / np.log(len(values)))
