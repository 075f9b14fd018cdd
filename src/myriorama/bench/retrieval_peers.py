"""What retrieval is measured against in the same run: popularity, item-kNN, and two stages.

The two stages are the strongest that was published for this: candidates of EASE lifted by
popularity, of item-kNN and of what is popular, and LightGBM to order them. It has our features,
but not our tables.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped] # scipy has no types

from myriorama.bench.outcome import Progress
from myriorama.bench.retrieval_scores import scored
from myriorama.bench.retrieval_shelves import Audience, Shelf, examples, ordered, weights_of
from ranking.signals import Signal
from ranking.state import State
from ranking.training.affinities import matrix, ridge, watches

Serials = NDArray[np.int32]
Matrix = NDArray[np.float32]

Boosting = Callable[[Matrix], Any]

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


def boosting(state: State, earlier: Audience) -> Boosting | None:
    """Let LightGBM learn of what was watched after a time; None if it is not installed."""
    if find_spec("lightgbm") is None:
        return None
    import lightgbm  # noqa: PLC0415 - a peer, which only benchmarks install

    features, was_wanted = examples(_Peers(state, earlier.as_of_ms).shelves(earlier), earlier)
    label = was_wanted.astype(np.int8)
    rows = lightgbm.Dataset(features, label, weight=weights_of(was_wanted))
    library: Any = lightgbm
    predict: Boosting = library.train(dict(_BOOSTING), rows, _ROUNDS).predict
    return predict


def scores(
    state: State, asked: Audience, predict: Boosting | None, progress: Progress
) -> Mapping[str, Mapping[str, float]]:
    """Return the figures of each peer on a state."""
    peers = _Peers(state, asked.as_of_ms)
    found = {
        "popularity": scored(peers.lists(asked, peers.popularity), asked.wanted),
        "item_knn": scored(peers.lists(asked, peers.neighbours), asked.wanted),
    }
    if predict is not None:
        found["lightgbm"] = scored(ordered(peers.shelves(asked), predict), asked.wanted)
    for name, figures in found.items():
        progress(f"retrieval: {name}: {figures}")
    return {name: figures.figures() for name, figures in found.items()}


class _Peers:
    """The peers, fitted on a state as of a time; each gives a score to each video."""

    def __init__(self, state: State, as_of_ms: int) -> None:
        viewers, videos, is_long = watches(state)
        shape = (len(state.people), len(state.videos))
        self._state, self._as_of_ms = state, as_of_ms
        self._shown = matrix(viewers, videos, shape)
        self._long = matrix(viewers[is_long], videos[is_long], shape)
        self._ease = ridge(self._long)
        self._cosine = _cosine(self._long)
        late = state.counts.video.decayed(Signal.LONG_WATCHES, as_of_ms, _DAY_MS)
        self._popular = late.astype(np.float32)
        lift = np.log1p(self._popular)
        self._lift = np.exp(np.float32(0.5) * (lift - lift.max(initial=0)))

    def popularity(self, viewers: Serials) -> Matrix:
        """What was watched long most, of late."""
        return np.tile(self._popular, (len(viewers), 1))

    def neighbours(self, viewers: Serials) -> Matrix:
        """What lies nearest to what was watched long."""
        close: Matrix = (self._long[viewers] @ self._cosine).toarray()
        return close

    def ease(self, viewers: Serials) -> Matrix:
        """What a regression on what was watched long expects."""
        expected: Matrix = self._long[viewers] @ self._ease
        return expected

    def lists(self, asked: Audience, peer: Callable[[Serials], Matrix]) -> list[Serials]:
        """Return what a peer puts first for each viewer."""
        return [
            _top(row, _LIST)
            for some in _portions(asked.viewers)
            for row in self._unseen(some, peer(some))
        ]

    def shelves(self, asked: Audience) -> Iterator[Shelf]:
        """Yield the candidates of the two stages, with features."""
        for some in _portions(asked.viewers):
            ease, close, popular = (
                self._unseen(some, peer(some))
                for peer in (self.ease, self.neighbours, self.popularity)
            )
            lifted = (ease + np.float32(0.02)) * self._lift
            for row, viewer in enumerate(some.tolist()):
                given = [each[row] for each in (ease, lifted, close, popular)]
                tops = [_top(each, quota) for each, quota in zip(given[1:], _QUOTAS, strict=True)]
                yield self._shelf(viewer, np.unique(np.concatenate(tops)), given)

    def _shelf(self, viewer: int, serials: Serials, given: Sequence[Matrix]) -> Shelf:
        own = self._state.read(viewer, serials, self._as_of_ms)
        columns = np.stack([each[serials] for each in given], axis=1)
        places = np.argsort(np.argsort(-columns, axis=0, kind="stable"), axis=0)
        return Shelf(serials, np.hstack([own, columns, places.astype(np.float32)]))

    def _unseen(self, viewers: Serials, given: Matrix) -> Matrix:
        given[self._shown[viewers].nonzero()] = -np.inf
        return given


def _portions(viewers: Serials) -> Iterator[Serials]:
    for start in range(0, len(viewers), _SHOWN_AT_ONCE):
        yield viewers[start : start + _SHOWN_AT_ONCE]


def _cosine(long: Any) -> Any:
    """Return the nearest neighbours of each video by the cosine of their viewers."""
    counts = np.asarray(long.sum(axis=0)).ravel()
    library: Any = sparse
    scale = library.diags(1 / np.sqrt(np.maximum(counts, 1)))
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
    most = np.argpartition(-scores, min(count, len(scores) - 1))[:count]
    most = most[np.isfinite(scores[most])]
    return most[np.argsort(-scores[most], kind="stable")].astype(np.int32)
