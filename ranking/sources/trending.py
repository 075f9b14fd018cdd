"""What is watched long right now, by whomever; what was watched yesterday counts half."""

import numpy as np

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved
from ranking.signals import Signal
from ranking.sources.found import Found, best
from ranking.state import State

HALF_LIFE_MS = 86_400_000
_CONSIDERED = 8
"""Times as many as are wanted are looked at closely: some will have been seen."""


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find what was watched long most often lately."""
    crowds = state.coviews.lately
    serials = np.flatnonzero(crowds > 0).astype(np.int32)
    wanted = limit * _CONSIDERED
    if len(serials) > wanted:
        bound = np.partition(crowds[serials], len(serials) - wanted)[len(serials) - wanted]
        serials = serials[crowds[serials] >= bound]
    strength = state.counts.video.decayed(
        Signal.LONG_WATCHES, query.as_of_ms, HALF_LIFE_MS, serials
    )
    return best(state, query, serials, strength, limit)
