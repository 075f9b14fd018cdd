"""Relative features: how a candidate stands among those it is compared with.

Computed by this one function, of the candidates that reach stage 2 when a page is made, of the same
ones when the model is trained.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.features import INDEX

Matrix = NDArray[np.float32]

RELATIVE: tuple[str, ...] = (
    "effect_all",
    "effect_within",
    "effect_video",
    "video_days_long_watches",
    "video_ever_long_watches",
    "video_ever_watch_permille",
    "video_ever_clicks",
    "video_ever_log",
    "topic_ever_long_watches",
    "log_duration",
    "log_age",
)
"""The features of which stage 2 also sees the difference to the mean of the slate."""

_COLUMNS = np.array([INDEX[name] for name in RELATIVE])


def with_relative(features: Matrix, slates: NDArray[np.int64] | None = None) -> Matrix:
    """Return the features with the relative ones behind them.

    Args:
        features: of the candidates, a row each.
        slates: which slate each row belongs to, numbered from 0; one for all if left out.
    """
    own = features[:, _COLUMNS].astype(np.float64)
    if slates is None:
        means = np.broadcast_to(own.mean(axis=0), own.shape) if len(own) else own
    else:
        counts = np.maximum(np.bincount(slates), 1)
        sums = np.stack([np.bincount(slates, weights=column) for column in own.T], axis=1)
        means = (sums / counts[:, np.newaxis])[slates]
    return np.hstack([features, (own - means).astype(np.float32)])


def to_features(moved: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return what (rows, features and relative ones) moved, each relative one with its feature."""
    total = moved[:, :count].copy()
    for place, column in enumerate(_COLUMNS.tolist()):
        total[:, column] += moved[:, count + place]
    return total
