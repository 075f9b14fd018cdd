"""What a viewer did lately, as the sources weigh it: what is newer says more."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.histories import LONG
from ranking.query import Serials
from ranking.rings import FAVOURED_MAX, WATCHED_MAX
from ranking.state import State

HALF_LIFE_STEPS = 20
"""After so many more videos, one counts half."""

_FORGOTTEN = max(WATCHED_MAX, FAVOURED_MAX)
_WEIGHTS = np.exp2(-np.arange(_FORGOTTEN) / HALF_LIFE_STEPS).astype(np.float32)


class History(NamedTuple):
    """Videos, each once, newest first, and the weight of each."""

    videos: Serials
    weights: NDArray[np.float32]


NONE = History(np.zeros(0, np.int32), np.zeros(0, np.float32))


def shown(state: State, viewer: int) -> History:
    """Return what a viewer was shown, long or not."""
    return state.once("shown", viewer, lambda: _watched(state, viewer, 0))


def long_watched(state: State, viewer: int) -> History:
    """Return what a viewer watched long; what lay between counts as steps too."""
    return state.once("long", viewer, lambda: _watched(state, viewer, LONG))


def favoured(state: State, viewer: int) -> History:
    """Return what a viewer liked, commented on, shared, bookmarked, remixed or made."""
    return state.once("favoured", viewer, lambda: _favoured(state, viewer))


def _watched(state: State, viewer: int, flags: int) -> History:
    if viewer < 0:
        return NONE
    watched = state.histories.watched(viewer)
    # What was done since the viewer last asked to be forgotten.
    kept = watched.at_ms > state.people.forgotten_ms[viewer]
    return History(*_weighed(watched.video, kept & (watched.flags & flags == flags), _WEIGHTS))


def _favoured(state: State, viewer: int) -> History:
    if viewer < 0:
        return NONE
    done = state.histories.favoured(viewer)
    return History(*_weighed(done.video, done.at_ms > state.people.forgotten_ms[viewer], _WEIGHTS))


@compiled
def _weighed(
    videos: Serials, kept: NDArray[np.bool_], by_steps: NDArray[np.float32]
) -> tuple[Serials, NDArray[np.float32]]:
    chosen, weights = np.empty(len(videos), np.int32), np.empty(len(videos), np.float32)
    count = 0
    for place in range(len(videos) - 1, -1, -1):
        video = videos[place]
        if not kept[place] or video < 0:
            continue
        is_new = True
        for other in range(count):
            if chosen[other] == video:
                is_new = False
                break
        if is_new:
            chosen[count], weights[count] = video, by_steps[len(videos) - 1 - place]
            count += 1
    return chosen[:count].copy(), weights[:count].copy()
