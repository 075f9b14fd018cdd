"""The heuristic: what a formula predicts while no model is active, of the same features.

Rates of the video, smoothed as the features are, times how near the video is to the viewer. It
learns nothing, so it needs nothing: a house on its first day ranks by it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities
from ranking.features import INDEX
from ranking.policy import ACTIONS

Matrix = NDArray[np.float32]
Columns = Mapping[str, NDArray[np.float64]]

# The rate by which an action is predicted, and how often who watches a video does it at all: a
# rate of nothing would leave what is new, and whoever is near to it, worth nothing.
_RATES: Mapping[str, tuple[str, float]] = {
    "complete": ("video_days_completions", 0.02),
    "rewatch": ("video_days_completions", 0.01),
    "like": ("video_ever_likes", 0.02),
    "comment": ("video_acts_comments", 0.004),
    "share": ("video_acts_shares", 0.003),
    "follow": ("video_acts_follows", 0.002),
    "remix": ("video_acts_remixes", 0.002),
    "cameo_use": ("video_acts_remixes", 0.0005),
    "create_24h": ("video_acts_remixes", 0.002),
    "quick_skip": ("video_days_quick_skips", 0.02),
    "less": ("video_acts_less", 0.0005),
    "report": ("video_acts_reports", 0.00005),
}

# How many times likelier (natural logarithm) who stands so to a video is to act on it.
_NEARNESS: Mapping[str, float] = {
    "near_positives": 1.5,
    "near_negatives": -1.0,
    "coview_long": 0.5,
    "follows": 0.7,
    "cameo_friend": 0.7,
    "friend_in_cameo": 0.7,
    "line_liked": 0.5,
    "log_age": -0.08,
    "watched_before": -0.5,
}
# How far nearness counts for an action; who is near a video is less likely to mind it.
_SIGN: Mapping[str, float] = {"watch": 0.0, "quick_skip": -0.5, "less": -1.0, "report": 0.0}
_USED = ("expected_long", *_NEARNESS, *sorted({feature for feature, _ in _RATES.values()}))


class Heuristic:
    """A ranker that needs no training; its two stages are one."""

    digest = "heuristic-1"
    affinities: Affinities | None = None

    def first(self, features: Matrix) -> Matrix:
        """Predict every action, (candidates, actions) float32."""
        return _predict({name: _column(features, name) for name in _USED})

    def second(self, features: Matrix) -> Matrix:
        """Predict the same again."""
        return self.first(features)

    def utility(self, predictions: Matrix, weights: Mapping[str, float]) -> Matrix:
        """Return the sum of what the actions are worth, as likely as each is."""
        worths = np.array([weights.get(action, 0.0) for action in ACTIONS])
        summed: Matrix = (predictions.astype(np.float64) @ worths).astype(np.float32)
        return summed

    def contributions(
        self, features: Matrix, weights: Mapping[str, float], predictions: Matrix
    ) -> Matrix:
        """Return what each feature adds: its slope where the candidate is, times its value."""
        gained = predictions.astype(np.float64) * np.array(
            [weights.get(action, 0.0) for action in ACTIONS]
        )
        added = np.zeros(features.shape, np.float64)
        by_nearness = gained @ np.array([_SIGN.get(action, 1.0) for action in ACTIONS])
        for name, by in _NEARNESS.items():
            added[:, INDEX[name]] += by * _column(features, name) * by_nearness
        for place, action in enumerate(ACTIONS):
            if action == "watch":
                odds = _column(features, "expected_long")
                slope = gained[:, place] * (1.0 - predictions[:, place])
                added[:, INDEX["expected_long"]] += slope * odds
            else:
                name, least = _RATES[action]
                rate = np.maximum(_column(features, name), 0.0)
                added[:, INDEX[name]] += gained[:, place] * rate / (rate + least)
        return added.astype(np.float32)


def _predict(columns: Columns) -> Matrix:
    near = sum(by * columns[name] for name, by in _NEARNESS.items())
    nearness = np.exp(np.clip(near, -3.0, 3.0))
    predictions = np.empty((len(nearness), len(ACTIONS)), np.float32)
    for place, action in enumerate(ACTIONS):
        if action == "watch":
            predictions[:, place] = 1.0 / (1.0 + np.exp(-columns["expected_long"]))
            continue
        rate, least = _RATES[action]
        likely = (np.maximum(columns[rate], 0.0) + least) * nearness ** _SIGN.get(action, 1.0)
        predictions[:, place] = np.minimum(likely, 1.0)
    return predictions


def _column(features: Matrix, name: str) -> NDArray[np.float64]:
    return features[:, INDEX[name]].astype(np.float64)
