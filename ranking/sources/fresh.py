"""New videos that were not shown as often as each is promised to be.

Half of what is brought is shown least, so that every new video gets its first showings at once;
the other half has waited longest, so that under a flood of new ones none is left half tried. Which
of them are shown, and with what probability, the exploration of the selection draws.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Learnt
from ranking.draws import hashed
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.signals import Signal
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State

STRETCH = 16_384
"""So many of the newest videos of all are looked through."""

REPORTS_MAX = 2
"""What was reported so often is promised nothing more until somebody has looked at it."""

_CONSIDERED = 4


def find(state: State, query: Resolved, policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find videos that are owed showings; which of equals come first, the query's seed decides."""
    promised = policy.exploration.guarantee
    serials, shown = state.once("fresh", promised, lambda: _owed(state, promised))
    if not len(serials):
        return NOTHING
    # What was shown least comes first; of equals, which does is left to the seed.
    turns = hashed(np.uint64(query.query.seed), serials.astype(np.uint64)) >> np.uint64(24)
    keys = (shown.astype(np.uint64) << np.uint64(40)) | turns
    considered = min(limit * _CONSIDERED, len(serials))
    among = np.argpartition(keys, considered - 1)[:considered]
    least = serials[among[np.argsort(keys[among], kind="stable")]]
    order = _zipped(least, serials[:considered])
    strength = np.arange(len(order), 0, -1) / len(order)
    return best(state, query, order, strength, limit)


def _owed(state: State, promised: int) -> tuple[Serials, NDArray[np.int64]]:
    """Return the newest that were not shown as often as is promised, and how often they were."""
    count = len(state.videos)
    newest = np.arange(max(0, count - STRETCH), count, dtype=np.int32)
    shown = state.counts.video.total(Signal.IMPRESSIONS, newest)
    reported = state.counts.video.total(Signal.REPORTS, newest)
    owed = state.videos.live[newest] & (shown < promised) & (reported < REPORTS_MAX)
    return newest[owed], shown[owed]


def _zipped(first: Serials, second: Serials) -> Serials:
    """Return one of each in turns, each video once."""
    both = np.stack([first, second], axis=1).ravel()
    _, places = np.unique(both, return_index=True)
    return both[np.sort(places)]
