"""What retrieval is measured against in the same run: popularity, item-kNN, and two stages.

The two stages are the strongest that was published for this: candidates of EASE lifted by
popularity, of item-kNN and of what is popular, and LightGBM to order them. It has our features,
but not our tables.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from myriorama.bench.ranking_retrieval import (
    UNWANTED_KEPT,
    Audience,
    Shelf,
    examples,
)
from myriorama.bench.retrieval_scores import Retrieval, scored
from ranking.signals import Signal
from ranking.state import State
from ranking.training.affinities import matrix, ridge, watches

Serials = NDArray[np.int32]
Matrix = NDArray[np.float32]

_DAY_MS = 86_400_000
_NEIGHBOURS = 200
_SHOWN_AT_ONCE = 500
_LIST = 190
# Of EASE, item-kNN and popularity.
_QUOTAS = (120, 80, 60)
_BOOSTING: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "verbosity": -1,
    "seed": 0,
}
_ROUNDS = 200


class _Scores(NamedTuple):
    """What each peer gives every video, for some viewers: (viewers, videos), -inf if seen."""

    ease: Matrix
    lifted: Matrix
    neighbours: Matrix
    popularity: Matrix


class Peers:
    """The peers, fitted on a state as of a time."""

    def __init__(self, state: State, as_of_ms: int) -> None:
        viewers, videos, is_long = watches(state)
        shape = (len(state.people), len(state.videos))
        self._state, self._as_of_ms = state, as_of_ms
        self._shown = matrix(viewers, videos, shape)
        self._long = matrix(viewers[is_long], videos[is_long], shape)
        self._ease = ridge(self._long)
        self._neighbours = _cosine(self._long)
        self._popular = state.counts.video.decayed(Signal.LONG_WATCHES, as_of_ms, _DAY_MS).astype(
            np.float32
        )

    def popularity(self, asked: Audience) -> Retrieval:
        """Score what was watched long most, of late."""
        return self._scored(asked, 3)

    def item_knn(self, asked: Audience) -> Retrieval:
        """Score what lies nearest to what was watched long."""
        return self._scored(asked, 2)

    def shelves(self, asked: Audience) -> Iterator[Shelf]:
        """Yield the candidates of the two stages, with features."""
        for some, scores in self._scores(asked):
            for row, viewer in enumerate(some.tolist()):
                each = [score[row] for score in scores]
                tops = [_top(score, quota) for score, quota in zip(each[1:], _QUOTAS, strict=True)]
                serials = np.unique(np.concatenate(tops)).astype(np.int32)
                own = self._state.read(viewer, serials, self._as_of_ms)
                given = np.stack([score[serials] for score in each], axis=1)
                places = np.argsort(np.argsort(-given, axis=0, kind="stable"), axis=0)
                yield Shelf(serials, np.hstack([own, given, places.astype(np.float32)]))

    def _scored(self, asked: Audience, peer: int) -> Retrieval:
        lists = [_top(row, _LIST) for _, scores in self._scores(asked) for row in scores[peer]]
        return scored(lists, asked.wanted)

    def _scores(self, asked: Audience) -> Iterator[tuple[Serials, _Scores]]:
        lift = np.log1p(self._popular)
        lift = np.exp(0.5 * (lift - lift.max(initial=0)))
        for start in range(0, len(asked.viewers), _SHOWN_AT_ONCE):
            some = asked.viewers[start : start + _SHOWN_AT_ONCE]
            long = self._long[some]
            ease = long @ self._ease
            scores = _Scores(
                ease,
                (ease + np.float32(0.02)) * lift,
                (long @ self._neighbours).toarray(),
                np.tile(self._popular, (len(some), 1)),
            )
            rows, videos = self._shown[some].nonzero()
            for score in scores:
                score[rows, videos] = -np.inf
            yield some, scores


def two_stages(
    learning: Iterator[Shelf], earlier: Audience, peers: Peers, asked: Audience
) -> Retrieval:
    """Score LightGBM over the candidates of the peers, learnt of what was watched earlier."""
    import lightgbm  # noqa: PLC0415 - a peer, which only benchmarks install

    features, was_wanted = examples(learning, earlier)
    weights = np.where(was_wanted, 1.0, 1 / UNWANTED_KEPT)
    rows = lightgbm.Dataset(features, was_wanted.astype(np.int8), weight=weights)
    model = lightgbm.train(dict(_BOOSTING), rows, _ROUNDS)
    lists = [
        shelf.serials[np.argsort(-np.asarray(model.predict(shelf.features)), kind="stable")]
        for shelf in peers.shelves(asked)
    ]
    return scored(lists, asked.wanted)


def _cosine(long: Any) -> Any:
    """Return the nearest neighbours of each video by the cosine of their viewers."""
    counts = np.asarray(long.sum(axis=0)).ravel()
    scale = sparse.diags(1 / np.sqrt(np.maximum(counts, 1)))
    close = (scale @ (long.T @ long) @ scale).tolil()
    close.setdiag(0)
    close = close.tocsr()
    for row in range(close.shape[0]):
        values = close.data[close.indptr[row] : close.indptr[row + 1]]
        if len(values) > _NEIGHBOURS:
            values[values < np.partition(values, -_NEIGHBOURS)[-_NEIGHBOURS]] = 0
    close.eliminate_zeros()
    return close.astype(np.float32)


def _top(scores: Matrix, count: int) -> Serials:
    most = np.argpartition(-scores, count)[:count]
    most = most[np.isfinite(scores[most])]
    return most[np.argsort(-scores[most], kind="stable")].astype(np.int32)
