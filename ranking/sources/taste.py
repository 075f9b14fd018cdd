"""What means something like the videos that the viewer lately favoured and watched long.

Every video of the catalogue is compared, exactly: with 100,000 of them that takes half a
millisecond, nothing is missed, and what was published a second ago is in. Embeddings are compared
as whole numbers, so the sums are the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Learnt
from ranking.catalogue import CODE_STEPS, EMBEDDING_WIDTH
from ranking.compiled import compiled
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.sources import history
from ranking.sources.found import NOTHING, Best, Found, Shown, is_open, offer, shown, sort
from ranking.state import State

Codes = NDArray[np.int8]

_AT_ONCE = 4096

FAVOURED_WORTH = 3.0
"""What was liked, shared or remixed says so many times what was only watched long."""


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find the videos whose embeddings lie closest to the viewer's taste."""
    taste = vector(state, query.viewer)
    if not taste.any():
        return NOTHING
    kept = Best.of(limit)
    count = _nearest(shown(state, query), kept, state.videos.codes, taste)
    return Found(kept.serials[:count], (kept.strength[:count] / CODE_STEPS**2).astype(np.float32))


def vector(state: State, viewer: int) -> Codes:
    """Return the viewer's taste: the mean of what they favoured and watched; 0 if unknown."""
    codes = state.videos.codes
    total = np.zeros(codes.shape[1])
    for worth, done in (
        (FAVOURED_WORTH, history.favoured(state, viewer)),
        (1.0, history.long_watched(state, viewer)),
    ):
        total += _sum(codes, done.videos, done.weights, worth)
    length = float(np.sqrt((total * total).sum()))
    return np.rint(total * (CODE_STEPS / length) if length else total).astype(np.int8)


@compiled
def _nearest(asked: Shown, kept: Best, codes: Codes, taste: Codes) -> int:
    """Find the videos that are most similar, above 0; of equals, the newest first.

    It is gone through from the newest on: what comes later is to be more similar than the worst.
    """
    similarity, wide = np.empty(_AT_ONCE, np.int32), taste.astype(np.int16)
    count, worst = 0, 0
    for end in range(len(codes), 0, -_AT_ONCE):
        begin = max(end - _AT_ONCE, 0)
        if _compare(codes[begin:end], wide, similarity) <= worst:
            continue
        for place in range(end - begin - 1, -1, -1):
            if similarity[place] > worst and is_open(asked, begin + place):
                count = offer(kept, count, begin + place, float(similarity[place]))
                if count == len(kept.serials):
                    worst = int(kept.strength[0])
    return sort(kept, count)


@compiled
def _compare(codes: Codes, taste: NDArray[np.int16], similarity: NDArray[np.int32]) -> int:
    """Set how similar each video is, and return how similar one is at most.

    The types are those that the machine multiplies many of at once.
    """
    for video in range(len(codes)):
        code, total = codes[video], np.int32(0)
        for place in range(EMBEDDING_WIDTH):
            total = np.int32(total + np.int32(np.int16(code[place]) * taste[place]))
        similarity[video] = total
    highest = np.int32(0)
    for video in range(len(codes)):
        highest = max(highest, similarity[video])
    return int(highest)


@compiled
def _sum(
    codes: Codes, videos: Serials, weights: NDArray[np.float32], worth: float
) -> NDArray[np.float64]:
    """Return the sum of the codes of videos, each by its weight."""
    total = np.zeros(EMBEDDING_WIDTH)
    for row in range(len(videos)):
        weight = worth * weights[row]
        for place in range(EMBEDDING_WIDTH):
            total[place] += weight * codes[videos[row], place]
    return total
