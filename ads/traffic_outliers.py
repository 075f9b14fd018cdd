"""Invalid traffic that only many decisions together give away: by viewer and by invite tree.

Accounts exist by invitation, so whoever makes a hundred of them leaves one tree. Each group is
compared with its like by robust scores: how much it was served, and how often it clicked. Counts
are all that this needs. Read by the batch that credits what was charged before.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads.invalid_traffic import Mark, Rule

Array = NDArray[np.float64]
Keys = NDArray[np.uint64]


class Viewers(NamedTuple):
    """What each viewer was served in a while, and clicked; an invite tree is named by its root."""

    invite_trees: Keys
    served: Array
    clicks: Array


class Thresholds(NamedTuple):
    """What is marked lies so many robust deviations above the rest.

    Fewer than `groups_min` groups are no crowd to stand out of, and a group of fewer than
    `decisions_min` decisions proves nothing.
    """

    score: float = 6.0
    groups_min: int = 20
    decisions_min: int = 20


THRESHOLDS = Thresholds()

_CONSISTENT = 1.4826
"""Times this, the median distance from the median is the deviation of a normal distribution."""

_VOLUME_DEVIATION_MIN = 0.5
_CLIPPED_AT = 3.0
_CLIPPINGS = 3


def marks_of(viewers: Viewers, thresholds: Thresholds = THRESHOLDS) -> Sequence[Mark | None]:
    """Return a mark, or none, for all of each viewer: the first rule that holds, theirs first."""
    found: list[Mark | None] = [None] * len(viewers.served)
    _, tree = np.unique(viewers.invite_trees, return_inverse=True)
    members = np.bincount(tree).astype(np.float64)
    served: Array = np.bincount(tree, weights=viewers.served).astype(np.float64)
    clicks: Array = np.bincount(tree, weights=viewers.clicks).astype(np.float64)
    alone = np.arange(len(found))
    of_viewers: tuple[Rule, Rule] = ("viewer_volume", "viewer_clicks")
    of_trees: tuple[Rule, Rule] = ("invite_tree_volume", "invite_tree_clicks")
    for rules, group, group_served, group_clicks, each in (
        (of_viewers, alone, viewers.served, viewers.clicks, viewers.served),
        (of_trees, tree, served, clicks, served / members),
    ):
        if len(group_served) < thresholds.groups_min:
            continue
        enough = group_served >= thresholds.decisions_min
        scores = (volume_scores(each), click_scores(group_served, group_clicks))
        for rule, score in zip(rules, scores, strict=True):
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
