"""What means something like the videos that the viewer lately favoured and watched long.

Every video of the catalogue is compared, exactly: with 100,000 of them that takes a millisecond or
two, nothing is missed, and what was published a second ago is in. Embeddings are compared as whole
numbers, so the sums are the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Learnt
from ranking.catalogue import CODE_STEPS, EMBEDDING_WIDTH
from ranking.compiled import compiled
from ranking.policy import Policy
from ranking.query import Resolved
from ranking.sources import history
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State

Codes = NDArray[np.int8]

_CONSIDERED = 8
"""Times as many as are wanted are looked at closely: some will have been seen."""

_STEP_BITS = 4

FAVOURED_WORTH = 3.0
"""What was liked, shared or remixed says so many times what was only watched long."""


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find the videos whose embeddings lie closest to the viewer's taste."""
    taste = vector(state, query.viewer)
    if not taste.any():
        return NOTHING
    similarity = np.zeros(len(state.videos), np.int32)
    counts = np.zeros((2 * CODE_STEPS * CODE_STEPS >> _STEP_BITS) + 1, np.int32)
    _compare(state.videos.codes, taste, similarity, counts)
    found = _above(state, query, similarity, _bound(counts, limit * _CONSIDERED), limit)
    if len(found.serials) < limit:  # most of what is nearest was seen
        found = _above(state, query, similarity, 1, limit)
    return found


def vector(state: State, viewer: int) -> Codes:
    """Return the viewer's taste: the mean of what they favoured and watched; 0 if unknown."""
    codes = state.videos.codes
    total = np.zeros(codes.shape[1])
    for worth, done in (
        (FAVOURED_WORTH, history.favoured(state, viewer)),
        (1.0, history.long_watched(state, viewer)),
    ):
        weights = worth * done.weights.astype(np.float64)
        total += (weights[:, None] * codes[done.videos]).sum(axis=0)
    length = float(np.sqrt((total * total).sum()))
    return np.rint(total * (CODE_STEPS / length) if length else total).astype(np.int8)


def _above(
    state: State, query: Resolved, similarity: NDArray[np.int32], bound: int, limit: int
) -> Found:
    alike = np.flatnonzero(similarity >= bound).astype(np.int32)
    return best(state, query, alike, similarity[alike] / np.float32(CODE_STEPS**2), limit)


def _bound(counts: NDArray[np.int32], wanted: int) -> int:
    """Return a similarity, above 0, that as many reach as are wanted, if so many do."""
    above = np.cumsum(counts[:0:-1])
    return max(1, (len(counts) - 1 - int(np.searchsorted(above, wanted))) << _STEP_BITS)


@compiled
def _compare(
    codes: Codes, taste: Codes, similarity: NDArray[np.int32], counts: NDArray[np.int32]
) -> None:
    """Set how similar each video is, and count how many are how similar, in steps.

    The types are those that the machine multiplies many of at once.
    """
    for video in range(len(codes)):
        total = np.int32(0)
        for place in range(EMBEDDING_WIDTH):
            product = np.int16(np.int16(codes[video, place]) * np.int16(taste[place]))
            total = np.int32(total + np.int32(product))
        similarity[video] = total
    for video in range(len(codes)):
        counts[max(int(similarity[video]), 0) >> _STEP_BITS] += 1
