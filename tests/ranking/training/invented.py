"""Invented exposures: what is watched long follows from two features, and a viewer's mood."""

import numpy as np

from ranking.features import INDEX
from ranking.heads import HEAD_INDEX, HEADS
from ranking.model import WIDTH
from ranking.training.examples import Examples
from ranking.training.fitting import Plan
from ranking.training.forests import Growth

SMALL = Plan(
    watch=Growth(trees=15, rate=0.2, leaf_rows_min=20),
    order=Growth(trees=8, rate=0.1, leaf_rows_min=20),
    other=Growth(trees=8, rate=0.2, leaf_rows_min=20),
    positives_min=100,
)


def exposures(count: int = 3000, *, seed: int = 0) -> Examples:
    """Return exposures in slates of five."""
    drawn = np.random.default_rng(seed)
    features = np.zeros((count, WIDTH), np.float32)
    effect = drawn.normal(size=count)
    rate = drawn.uniform(0, 0.2, size=count)
    features[:, INDEX["effect_all"]] = effect
    features[:, INDEX["video_ever_long_watches"]] = drawn.uniform(size=count)
    features[:, INDEX["video_acts_follows"]] = rate
    odds = effect + 2 * (features[:, INDEX["video_ever_long_watches"]] > 0.5) - 1
    labels = np.zeros((count, len(HEADS)), np.bool_)
    labels[:, HEAD_INDEX["watch"]] = drawn.uniform(size=count) < 1 / (1 + np.exp(-odds))
    labels[:, HEAD_INDEX["like"]] = drawn.uniform(size=count) < 0.1
    labels[:, HEAD_INDEX["follow"]] = drawn.uniform(size=count) < rate / 10
    slates = np.arange(count, dtype=np.int64) // 5
    return Examples(
        features=features,
        slate=slates,
        viewer=(slates % 97).astype(np.int32),
        at_ms=slates * 60_000,
        duration_ms=drawn.integers(5000, 25_000, count).astype(np.int32),
        labels=labels,
    )
