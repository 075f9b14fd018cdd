"""Invalid traffic that only many decisions together give away: by viewer, device and invite tree.

Accounts exist by invitation, so whoever makes a hundred of them leaves one tree. Each group is
compared with its like by robust scores: how much it was served, and how often it clicked. Read by
the batch that credits what was charged before; it marks decisions and drops none.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads.invalid_traffic import Mark, Rule

Array = NDArray[np.float64]
Keys = NDArray[np.uint64]


class Decisions(NamedTuple):
    """What was served in a while, one row a decision; an invite tree is named by its root."""

    viewers: Keys
    devices: Keys
    invite_trees: Keys
    clicked: NDArray[np.bool_]


class Thresholds(NamedTuple):
    """What is marked lies so many robust deviations above the rest.

    Fewer than `groups_min` groups are no crowd to stand out of, and a group of fewer than
    `decisions_min` decisions proves nothing.
    """

    score: float = 6.0
    groups_min: int = 20
    decisions_min: int = 20


THRESHOLDS = Thresholds()

Grouping = Literal["viewer", "device", "invite_tree"]

_RULES: dict[Grouping, tuple[Rule, Rule]] = {
    "viewer": ("viewer_volume", "viewer_clicks"),
    "device": ("device_volume", "device_clicks"),
    "invite_tree": ("invite_tree_volume", "invite_tree_clicks"),
}
_CONSISTENT = 1.4826
"""Times this, the median distance from the median is the deviation of a normal distribution."""

_VOLUME_DEVIATION_MIN = 0.5
_CLIPPED_AT = 3.0
_CLIPPINGS = 3


def marks_of(decisions: Decisions, thresholds: Thresholds = THRESHOLDS) -> Sequence[Mark | None]:
    """Return a mark, or none, for each decision: the first rule that holds, viewers first."""
    found: list[Mark | None] = [None] * len(decisions.clicked)
    keys: dict[Grouping, Keys] = {
        "viewer": decisions.viewers,
        "device": decisions.devices,
        "invite_tree": decisions.invite_trees,
    }
    for grouping, own in keys.items():
        names, group = np.unique(own, return_inverse=True)
        if len(names) < thresholds.groups_min:
            continue
        served = np.bincount(group).astype(np.float64)
        clicks = np.bincount(group, weights=decisions.clicked).astype(np.float64)
        members = (
            _members(group, decisions.viewers) if grouping == "invite_tree" else np.ones(len(names))
        )
        enough = served >= thresholds.decisions_min
        scores = (volume_scores(served / members), click_scores(served, clicks))
        for rule, score in zip(_RULES[grouping], scores, strict=True):
            mark = Mark(rule, "sophisticated")
            for row in np.flatnonzero((enough & (score > thresholds.score))[group]):
                found[row] = found[row] or mark
    return found


def volume_scores(served: Array) -> Array:
    """Return how far above the median each count lies, in logarithms and robust deviations."""
    logs = np.log(served)
    middle = np.median(logs)
    deviation = _CONSISTENT * float(np.median(np.abs(logs - middle)))
    scores: Array = (logs - middle) / max(deviation, _VOLUME_DEVIATION_MIN)
    return scores


def click_scores(served: Array, clicks: Array) -> Array:
    """Return how many deviations more clicks each group has than its like would have.

    Roots of counts have the same deviation however many were served, so small groups are not
    marked by chance. The rate is of the groups that do not stand out themselves.
    """
    honest = np.ones(len(served), np.bool_)
    scores: Array = np.zeros(len(served))
    for _ in range(_CLIPPINGS):
        rate = clicks[honest].sum() / max(served[honest].sum(), 1.0)
        raw = 2 * (np.sqrt(clicks + 0.375) - np.sqrt(served * rate + 0.375))
        spread = _CONSISTENT * float(np.median(np.abs(raw - np.median(raw))))
        scores = raw / max(spread, 1.0)
        honest = scores < _CLIPPED_AT
    return scores


def _members(group: NDArray[np.intp], viewers: Keys) -> Array:
    """Return how many viewers each group has."""
    pairs = np.unique(np.stack([group.astype(np.uint64), viewers]), axis=1)
    return np.bincount(pairs[0].astype(np.intp)).astype(np.float64)
