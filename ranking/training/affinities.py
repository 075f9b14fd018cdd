"""Fits the affinities of the head catalogue: a ridge regression of each video on all the others.

The closed form of it (EASE, Steck 2019) beats every factorisation and neighbourhood that we tried.
It inverts a matrix of the head's size, hence the head; a walk of `ranking/coview.py` does for the
tail. Learnt of what is shown, it knows whom the present ranking shows what; of long watches, whom
it pleased.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse  # type: ignore[import-untyped] # scipy has no types

from ranking.affinities import Affinities, Table
from ranking.state import State

HEAD = 8000
KEPT = 300
RIDGE = 300.0
DENOISED = 0.2
"""By how much of a video's own count its ridge is more: as if so much of it were left out."""

_IS_LONG = 1
_solver: Any = linalg

Serials = NDArray[np.int32]
Sparse = Any
"""A sparse matrix of scipy, which says nothing of its types."""


def fit(state: State, *, head: int = HEAD, kept: int = KEPT) -> Affinities:
    """Return the affinities of the videos that were shown most, by what the state remembers."""
    viewers, videos, is_long = watches(state)
    if not len(videos):
        return Affinities.empty()
    counts = np.bincount(videos)
    most = np.argsort(-counts, kind="stable")[:head]
    chosen = np.sort(most[counts[most] > 0]).astype(np.int32)
    rows = np.full(len(counts), -1, np.int32)
    rows[chosen] = np.arange(len(chosen), dtype=np.int32)
    inside = rows[videos] >= 0
    viewers, columns, is_long = viewers[inside], rows[videos[inside]], is_long[inside]
    shape = (len(state.people), len(chosen))
    shown = ridge(matrix(viewers, columns, shape), DENOISED)
    long = ridge(matrix(viewers[is_long], columns[is_long], shape))
    return Affinities(_sparse(chosen, shown, kept), _sparse(chosen, long, kept))


def watches(state: State) -> tuple[Serials, Serials, NDArray[np.bool_]]:
    """Return who was shown what, and whether they watched it long."""
    viewers: list[Serials] = []
    videos: list[Serials] = []
    flags: list[NDArray[np.uint8]] = []
    for viewer in range(len(state.people)):
        watched = state.histories.watched(viewer)
        viewers.append(np.full(len(watched.video), viewer, np.int32))
        videos.append(watched.video)
        flags.append(watched.flags)
    if not viewers:
        none = np.zeros(0, np.int32)
        return none, none, np.zeros(0, np.bool_)
    return (
        np.concatenate(viewers),
        np.concatenate(videos),
        (np.concatenate(flags) & _IS_LONG).astype(np.bool_),
    )


def ridge(watches: Sparse, denoised: float = 0.0) -> NDArray[np.float32]:
    """Return the weights from each video (row) to each other, of (viewers, videos) of ones."""
    gram: NDArray[np.float32] = (watches.T @ watches).toarray().astype(np.float32)
    own = np.diag_indices(len(gram))
    gram[own] += RIDGE + denoised * gram[own]
    factor = _solver.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    inverted: tuple[NDArray[np.float32], int]
    inverted = _solver.lapack.spotri(factor, lower=True, overwrite_c=True)
    lower, failed = inverted
    if failed:
        raise ValueError("The affinities cannot be fitted: the matrix is singular.")
    inverse = np.tril(lower) + np.tril(lower, -1).T
    weights = np.asarray(inverse / -np.diag(inverse), np.float32)
    weights[own] = 0
    return weights


def matrix(viewers: Serials, videos: Serials, shape: tuple[int, int]) -> Sparse:
    """Return who watched what as ones; whoever watched a video twice is one of its viewers."""
    ones = np.ones(len(viewers), np.float32)
    watched: Sparse = sparse.csr_matrix((ones, (viewers, videos)), shape=shape)
    watched.data[:] = 1
    return watched


def _sparse(videos: Serials, weights: NDArray[np.float32], kept: int) -> Table:
    """Return the table of the weights that matter most of each row."""
    count = len(videos)
    kept = min(kept, count)
    most = np.argpartition(-np.abs(weights), kept - 1, axis=1)[:, :kept]
    targets = np.sort(most, axis=1).astype(np.int32)
    starts = np.arange(count + 1, dtype=np.int64) * kept
    return Table(
        videos, starts, targets.ravel(), np.take_along_axis(weights, targets, axis=1).ravel()
    )
