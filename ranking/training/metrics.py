"""How good an order or a probability is, and how sure of that one can be."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.training.examples import mixed, numbered

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

TOP = 10
_DISCOUNTS = 1.0 / np.log2(np.arange(2, TOP + 2))


class Figure(NamedTuple):
    """A figure and its standard error."""

    value: float
    error: float


class Slates(NamedTuple):
    """Of each slate where a label is mixed: AUC, NDCG@10, how many rows, and whose it is."""

    auc: Scores
    ndcg: Scores
    rows: Numbers
    viewer: NDArray[np.int32]


def auc(label: Flags, score: Scores) -> float:
    """Return how often a positive stands before a negative; ties count half. NaN without both."""
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = _ranks(score)
    above = float(ranks[label].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def by_slate(label: Flags, score: Scores, slates: Numbers, viewer: NDArray[np.int32]) -> Slates:
    """Measure each slate by itself, those in which all are alike left out."""
    kept = np.flatnonzero(mixed(label, slates))
    if not len(kept):
        none = np.zeros(0)
        return Slates(none, none, np.zeros(0, np.int64), np.zeros(0, np.int32))
    slates = numbered(slates[kept])
    order = np.lexsort((-score[kept], slates))
    label, score, viewer = label[kept][order], score[kept][order], viewer[kept][order]
    begins = np.r_[0, np.flatnonzero(np.diff(slates[order])) + 1, len(order)]
    aucs, ndcgs = np.zeros(len(begins) - 1), np.zeros(len(begins) - 1)
    for slate, (begin, end) in enumerate(pairwise(begins)):
        of = label[begin:end]
        aucs[slate] = auc(of, score[begin:end])
        top = of[:TOP]
        ideal = _DISCOUNTS[: min(int(of.sum()), TOP)].sum()
        ndcgs[slate] = float(_DISCOUNTS[: len(top)][top].sum() / ideal)
    return Slates(aucs, ndcgs, np.diff(begins), viewer[begins[:-1]])


def gauc(slates: Slates) -> Figure:
    """Return the AUC within slates, each by its rows; its error by drawing viewers again."""
    return _mean(slates.auc, slates.rows.astype(np.float64), slates.viewer)


def ndcg(slates: Slates) -> Figure:
    """Return the mean NDCG@10 of slates."""
    return _mean(slates.ndcg, np.ones(len(slates.ndcg)), slates.viewer)


def auc_with_error(label: Flags, score: Scores, viewer: NDArray[np.int32]) -> Figure:
    """Return the AUC over everything; its error by drawing viewers again."""
    order = np.argsort(viewer, kind="stable")
    begins = np.r_[0, np.flatnonzero(np.diff(viewer[order])) + 1, len(order)]
    groups: list[NDArray[np.int64]] = np.split(order, begins[1:-1])
    draw = np.random.default_rng(0)
    drawn = list[float]()
    for _ in range(30):
        places: list[int] = draw.integers(0, len(groups), len(groups)).tolist()
        rows: NDArray[np.int64] = np.concatenate([groups[place] for place in places])
        drawn.append(auc(label[rows], score[rows]))
    return Figure(auc(label, score), float(np.std(drawn)))


def ece(label: Flags, probability: Scores, bins: int = 20) -> float:
    """Return the expected calibration error over bins of as many rows each."""
    if not len(label):
        return float("nan")
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    gaps = [
        abs(float(label[part].mean()) - float(probability[part].mean())) * len(part)
        for part in parts
        if len(part)
    ]
    return float(sum(gaps)) / len(label)


def correlation(left: Scores, right: Scores) -> float:
    """Return the correlation of two columns, 0 if one does not vary."""
    if left.std() == 0 or right.std() == 0:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])


def _mean(values: Scores, weights: Scores, viewer: NDArray[np.int32]) -> Figure:
    """Return a weighted mean; its error by drawing viewers again, 200 times."""
    if not len(values):
        return Figure(float("nan"), float("nan"))
    _, of = np.unique(viewer, return_inverse=True)
    sums, totals = np.bincount(of, weights=values * weights), np.bincount(of, weights=weights)
    draw = np.random.default_rng(0)

    def again() -> float:
        rows = draw.integers(0, len(sums), len(sums))
        return float(sums[rows].sum() / totals[rows].sum())

    return Figure(float(sums.sum() / totals.sum()), _spread(again))


def _spread(again: Callable[[], float]) -> float:
    return float(np.std([again() for _ in range(200)]))


def _ranks(score: Scores) -> Scores:
    """Return the rank of each score from 1 on; equal ones share theirs."""
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]
