"""New videos that were not shown as often as each is promised to be.

Half of what is brought is shown least, so that every new video gets its first showings at once;
the other half has waited longest, so that under a flood of new ones none is left half tried. Which
of them are shown, and with what probability, the exploration of the selection draws.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Learnt
from ranking.compiled import compiled
from ranking.draws import mixed
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
    serials, shown = state.once("fresh", promised, lambda: _owed_lately(state, promised))
    if not len(serials):
        return NOTHING
    considered = min(limit * _CONSIDERED, len(serials))
    least = _least(serials, shown, np.uint64(query.query.seed), considered)
    order = _zipped(least, serials[:considered])
    strength = np.arange(len(order), 0, -1) / len(order)
    return best(state, query, order, strength, limit)


def _owed_lately(state: State, promised: int) -> tuple[Serials, NDArray[np.int64]]:
    """Return the newest that were not shown as often as is promised, and how often they were."""
    first, counters = max(0, len(state.videos) - STRETCH), state.counts.video
    signals = counters.total_signals
    columns = signals.index(Signal.IMPRESSIONS), signals.index(Signal.REPORTS)
    return _owed(state.videos.live, counters.totals, first, promised, columns)


@compiled
def _owed(
    live: NDArray[np.bool_],
    totals: NDArray[np.int32],
    first: int,
    promised: int,
    columns: tuple[int, int],
) -> tuple[Serials, NDArray[np.int64]]:
    serials, shown = np.empty(len(live) - first, np.int32), np.empty(len(live) - first, np.int64)
    count = 0
    for video in range(first, len(live)):
        times, reports = totals[video, columns[0]], totals[video, columns[1]]
        if live[video] and times < promised and reports < REPORTS_MAX:
            serials[count], shown[count] = video, times
            count += 1
    return serials[:count].copy(), shown[:count].copy()


@compiled
def _least(serials: Serials, shown: NDArray[np.int64], seed: np.uint64, considered: int) -> Serials:
    """Return what was shown least, as much as is considered; of equals the seed says which."""
    least, keys = np.empty(considered, np.int32), np.empty(considered, np.uint64)
    count, start = 0, mixed(seed)
    for place in range(len(serials)):
        turn = mixed(start ^ np.uint64(serials[place])) >> np.uint64(24)
        key = (np.uint64(shown[place]) << np.uint64(40)) | turn
        if count == considered and key >= keys[count - 1]:
            continue
        at = min(count, considered - 1)
        while at > 0 and key < keys[at - 1]:
            keys[at], least[at] = keys[at - 1], least[at - 1]
            at -= 1
        keys[at], least[at] = key, serials[place]
        count = min(count + 1, considered)
    return least


def _zipped(first: Serials, second: Serials) -> Serials:
    """Return one of each in turns, each video once."""
    both = np.stack([first, second], axis=1).ravel()
    _, places = np.unique(both, return_index=True)
    return both[np.sort(places)]
