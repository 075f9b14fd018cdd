"""What is watched long right now, by whomever; what was watched yesterday counts half."""

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.signals import Signal
from ranking.sources.found import Found, best
from ranking.state import State

HALF_LIFE_MS = 86_400_000
_MINUTE_MS = 60_000
_CONSIDERED = 8
"""Times as many as are wanted are looked at closely: some will have been seen."""


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find what was watched long most often lately, as of the last whole minute."""
    minute_ms = query.as_of_ms - query.as_of_ms % _MINUTE_MS
    wanted = limit * _CONSIDERED
    serials, strength = state.once(
        "trending", (minute_ms, wanted), lambda: _crowded(state, minute_ms, wanted)
    )
    return best(state, query, serials, strength, limit)


def _crowded(state: State, as_of_ms: int, wanted: int) -> tuple[Serials, NDArray[np.float64]]:
    """Return what most people watched long lately, and how many they are, those long ago less."""
    crowds = state.coviews.lately
    serials = np.flatnonzero(crowds > 0).astype(np.int32)
    if len(serials) > wanted:
        bound = np.partition(crowds[serials], len(serials) - wanted)[len(serials) - wanted]
        serials = serials[crowds[serials] >= bound]
    of_video = state.counts.video
    return serials, of_video.decayed(Signal.LONG_WATCHES, as_of_ms, HALF_LIFE_MS, serials)
