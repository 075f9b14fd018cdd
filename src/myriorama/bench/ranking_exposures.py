"""Ranking of what was really shown: who watched what long, and who liked it, within each slate.

A slate is what one viewer was shown on one day. The features are read when its first video was
shown, of a state that was folded up to then; nothing of the slate itself, or later, is in them. The
effects are learnt anew each midnight of what was before it, as counters go on counting. The trees,
the linear heads and their calibration have learnt of the slates before the cut alone.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped] # scipy has no types

from myriorama.bench.outcome import Progress
from myriorama.bench.ranking_retrieval import midnight_ms
from ranking.features import FEATURES, INDEX, LEARNT
from ranking.heads import HEAD_INDEX
from ranking.importing.kuairand import Imported, NotImportable, load
from ranking.policy import DEFAULT
from ranking.training import exposures, fitting, metrics
from ranking.training.examples import Examples

Scores = NDArray[np.float64]

_BOOSTING: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "verbosity": -1,
    "seed": 0,
}
_ROUNDS = 332

_NEIGHBOURS = 200
_AT_ONCE = 4000
_HEADS = ("watch", "like")


def measure_exposures(
    data: Path, test_from: date, progress: Progress
) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    """Learn of the slates before a day, and order those from that day on.

    Returns:
        The figures, and those of each peer by its name.
    """
    imported = load(data)
    cut_ms = midnight_ms(test_from)
    everything = exposures.examples(imported, progress)
    is_test = everything.at_ms >= cut_ms
    if not is_test.any() or is_test.all():
        raise NotImportable(f"there are no exposures on one side of {test_from}")
    learnt, tested = everything.take(~is_test), everything.take(is_test)
    fitted = fitting.fit(learnt, None, progress, until_ms=cut_ms)
    predictions = fitted.model.of_rows(tested.features, tested.slate)
    judge = _Judge(tested)
    watch, like = (predictions[:, HEAD_INDEX[head]].astype(np.float64) for head in _HEADS)
    order = fitted.model.utility(predictions, DEFAULT.weights).astype(np.float64)
    in_order = judge.watch(order)
    figures = {
        **judge.watch(watch),
        "duration_corr": judge.duration_corr(watch),
        **_flat({"like_gauc": judge.like(order), "like_head_gauc": judge.like(like)}),
        "order_gauc": in_order["gauc"],
        "order_ndcg10": in_order["ndcg10"],
        "order_duration_corr": judge.duration_corr(order),
        "tested_exposures": float(len(tested)),
    }
    progress("exposures: peers")
    peers = _peers(imported, learnt, tested, is_test)
    return figures, {name: judge.peer(score) for name, score in peers}


class _Judge:
    """Measures any score of the tested exposures, each figure with its standard error."""

    def __init__(self, tested: Examples) -> None:
        self._of = tested
        self._log_duration = np.log(np.maximum(tested.duration_ms, 1).astype(np.float64))

    def watch(self, score: Scores) -> Mapping[str, float]:
        """Return how well a score tells what was watched long, overall and within slates."""
        slates = self._slates("watch", score)
        measured = {
            "auc": metrics.auc_with_error(self._of.label("watch"), score, self._of.viewer),
            "gauc": metrics.gauc(slates),
            "ndcg10": metrics.ndcg(slates),
        }
        return {**_flat(measured), "mixed_slates": float(len(slates.auc))}

    def like(self, score: Scores) -> metrics.Figure:
        """Return how well a score tells within slates what was liked."""
        return metrics.gauc(self._slates("like", score))

    def duration_corr(self, score: Scores) -> float:
        """Return how a score goes with the logarithm of the duration."""
        return metrics.correlation(score, self._log_duration)

    def peer(self, score: Scores) -> Mapping[str, float]:
        """Return what is told of a peer."""
        watch = self.watch(score)
        return {
            **{name: watch[name] for name in ("auc", "gauc", "ndcg10")},
            "like_gauc": self.like(score).value,
            "duration_corr": self.duration_corr(score),
        }

    def _slates(self, head: str, score: Scores) -> metrics.Slates:
        of = self._of
        return metrics.by_slate(of.label(head), score, of.slate, of.viewer)


def _flat(measured: Mapping[str, metrics.Figure]) -> Mapping[str, float]:
    values = {name: figure.value for name, figure in measured.items()}
    return {**values, **{f"{name}_se": figure.error for name, figure in measured.items()}}


def _peers(
    imported: Imported, learnt: Examples, tested: Examples, is_test: NDArray[np.bool_]
) -> Iterator[tuple[str, Scores]]:
    """Yield the scores of what the ranking is measured against."""
    yield "popularity", tested.features[:, INDEX["video_ever_log"]].astype(np.float64)
    yield "long_watch_rate", tested.features[:, INDEX["video_ever_long_watches"]].astype(np.float64)
    yield "item_knn", _neighbours(imported, is_test)
    if find_spec("lightgbm") is None:
        return
    import lightgbm  # noqa: PLC0415 - a peer, which only benchmarks install

    # What every ranker could know; the effects are ours.
    learnt_by_us = [INDEX[feature.name] for feature in LEARNT]
    columns = np.setdiff1d(np.arange(len(FEATURES)), learnt_by_us)
    rows = lightgbm.Dataset(learnt.features[:, columns], learnt.label("watch").astype(np.int8))
    untyped: Any = lightgbm
    boosted = untyped.train(dict(_BOOSTING), rows, _ROUNDS)
    yield "lightgbm", np.asarray(boosted.predict(tested.features[:, columns]), np.float64)


def _neighbours(imported: Imported, is_test: NDArray[np.bool_]) -> Scores:
    """Score by the cosine of each video with those the viewer had watched long before the cut."""
    shown = imported.exposures
    cut_ms = int(shown.at_ms[is_test].min())
    watches = exposures.watched(imported)
    long = watches.take(watches.is_long & (watches.at_ms < cut_ms))
    count = len(imported.videos)
    people = int(max(long.viewer.max(), shown.viewer.max())) + 1
    liked: Any = sparse.csr_matrix(
        (np.ones(len(long), np.float32), (long.viewer, long.video)), shape=(people, count)
    )
    liked.data[:] = 1
    lengths = np.sqrt(np.maximum(np.asarray(liked.sum(axis=0)).ravel(), 1))
    scale: Any = sparse.diags(1 / lengths)  # pyright: ignore[reportUnknownMemberType]
    cosine = scale @ (liked.T @ liked) @ scale
    near = np.asarray(cosine.todense(), np.float32)
    np.fill_diagonal(near, 0)
    least = np.partition(near, -_NEIGHBOURS, axis=1)[:, -_NEIGHBOURS]
    near[near < least[:, np.newaxis]] = 0
    score = np.zeros(int(is_test.sum()))
    viewers, videos = shown.viewer[is_test], shown.video[is_test]
    for begin in range(0, len(score), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        who, rows = np.unique(viewers[part], return_inverse=True)
        score[part] = (liked[who] @ near)[rows, videos[part]]
    return score
