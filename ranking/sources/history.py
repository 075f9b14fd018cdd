"""What a viewer did lately, as the sources weigh it: what is newer says more."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.query import Serials
from ranking.state import State

HALF_LIFE_STEPS = 20
"""After so many more videos, one counts half."""

_IS_LONG = 1


class History(NamedTuple):
    """Videos, each once, newest first, and the weight of each."""

    videos: Serials
    weights: NDArray[np.float32]


NONE = History(np.zeros(0, np.int32), np.zeros(0, np.float32))


def shown(state: State, viewer: int) -> History:
    """Return what a viewer was shown, long or not."""
    if viewer < 0:
        return NONE
    watched = state.histories.watched(viewer)
    return _weighed(watched.video, _is_remembered(state, viewer, watched.at_ms))


def long_watched(state: State, viewer: int) -> History:
    """Return what a viewer watched long; what lay between counts as steps too."""
    if viewer < 0:
        return NONE
    watched = state.histories.watched(viewer)
    kept = _is_remembered(state, viewer, watched.at_ms) & ((watched.flags & _IS_LONG) > 0)
    return _weighed(watched.video, kept)


def favoured(state: State, viewer: int) -> History:
    """Return what a viewer liked, commented on, shared, bookmarked, remixed or made."""
    if viewer < 0:
        return NONE
    done = state.histories.favoured(viewer)
    return _weighed(done.video, _is_remembered(state, viewer, done.at_ms))


def _is_remembered(state: State, viewer: int, at_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return what was done since the viewer last asked to be forgotten."""
    return np.asarray(at_ms > state.people.forgotten_ms[viewer])


def _weighed(videos: Serials, kept: NDArray[np.bool_]) -> History:
    steps = np.arange(len(videos) - 1, -1, -1)
    backwards = np.flatnonzero(kept & (videos >= 0))[::-1]
    _, first = np.unique(videos[backwards], return_index=True)
    chosen = backwards[np.sort(first)]
    weights = np.exp2(-steps[chosen] / HALF_LIFE_STEPS)
    return History(videos[chosen].astype(np.int32), weights.astype(np.float32))
