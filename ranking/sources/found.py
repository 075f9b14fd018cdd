"""What a source found, and how the best of it that was not seen is picked."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.query import Resolved, Serials
from ranking.state import State

Floats = NDArray[np.float32]

_ROUNDS = 3
_GROWTH = 4


class Found(NamedTuple):
    """Videos, each once, best first, and how strongly the source speaks for each."""

    serials: Serials
    strength: Floats


NOTHING = Found(np.zeros(0, np.int32), np.zeros(0, np.float32))


def best(
    state: State, query: Resolved, serials: Serials, strength: NDArray[np.floating], limit: int
) -> Found:
    """Return the strongest that are live and were not seen; of equals, the newest first.

    A filter would drop the others anyway, but they would have taken up the source's quota. It is
    looked at few more than are wanted, and at more only where those were seen.
    """
    count, wanted = len(serials), limit
    for _ in range(_ROUNDS):
        wanted = min(count, wanted * _GROWTH)
        found = _unseen(state, query, serials, strength, wanted)
        if len(found.serials) >= limit or wanted == count:
            break
    else:
        found = _unseen(state, query, serials, strength, count)
    return Found(found.serials[:limit], found.strength[:limit])


def _unseen(
    state: State, query: Resolved, serials: Serials, strength: NDArray[np.floating], wanted: int
) -> Found:
    if not wanted:
        return NOTHING
    if wanted < len(serials):
        # By the bound, not by place: which of equals a partition puts first is not defined.
        bound = np.partition(strength, len(strength) - wanted)[len(strength) - wanted]
        among = np.flatnonzero(strength >= bound)
        serials, strength = serials[among], strength[among]
    order = np.lexsort((-serials, -strength))
    serials, strength = serials[order], strength[order]
    kept = state.videos.live[serials]
    if len(query.pending):
        kept &= ~np.isin(serials, query.pending)
    if query.viewer >= 0:
        kept &= ~state.histories.seen(query.viewer, serials, query.as_of_ms)
    return Found(serials[kept].astype(np.int32), strength[kept].astype(np.float32))
