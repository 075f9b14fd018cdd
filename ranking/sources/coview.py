"""What is shown to and watched by the people who watched what the viewer did.

Of the head catalogue by the model's tables, of what is newer than they are by a walk over its
viewers. What is watched much lately is lifted a little: so is what will be.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities, Learnt
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.sources import history
from ranking.sources.found import NOTHING, Found, best
from ranking.sources.history import History
from ranking.state import State

LIFT = 0.25
"""The power of the lately long watches by which a video is lifted."""

LONG_WORTH = 0.5
FLOOR = 0.02
TAIL = 0.2
"""The part of the quota that is for videos that the tables do not know, if there are any."""


def find(state: State, query: Resolved, _policy: Policy, limit: int, learnt: Learnt) -> Found:
    """Find what goes with what the viewer was shown and watched."""
    shown = history.shown(state, query.viewer)
    if not len(shown.videos):
        return NOTHING
    long = history.long_watched(state, query.viewer)
    tables = learnt.affinities or Affinities.empty()
    head = _head(state, query, tables, shown, long, limit)
    tail = _tail(state, query, tables, long, limit if not len(head.serials) else _share(limit))
    kept = limit - len(tail.serials)
    # The two are not of one measure: each keeps its order, and its part of the quota.
    serials = np.concatenate([head.serials[:kept], tail.serials])
    strength = np.concatenate([head.strength[:kept], tail.strength])
    turns = np.concatenate([_turns(len(head.serials[:kept])), _turns(len(tail.serials))])
    order = np.argsort(turns, kind="stable")
    return Found(serials[order], strength[order])


def affinity(tables: Affinities, shown: History, long: History) -> NDArray[np.float32]:
    """Return what the tables say of each of their rows."""
    by_shown = tables.shown.scores(shown.videos, shown.weights)[:-1]
    by_long = tables.long.scores(long.videos, long.weights)[:-1]
    return np.asarray(by_shown + LONG_WORTH * by_long, np.float32)


def _head(  # noqa: PLR0913, PLR0917 - the two histories are one viewer's
    state: State, query: Resolved, tables: Affinities, shown: History, long: History, limit: int
) -> Found:
    videos = tables.shown.videos
    # The tables may know more of the house than a state that is being folded does.
    videos = videos[: np.searchsorted(videos, len(state.videos))]
    if not len(videos):
        return NOTHING
    strength = (affinity(tables, shown, long)[: len(videos)] + FLOOR) * _lift(state, videos)
    return best(state, query, videos, strength, limit)


def _tail(state: State, query: Resolved, tables: Affinities, long: History, limit: int) -> Found:
    serials, scores = state.coviews.reached(long.videos, long.weights)
    if len(tables.shown.videos):
        unknown = ~np.isin(serials, tables.shown.videos)
        serials, scores = serials[unknown], scores[unknown]
    return best(state, query, serials, scores, limit)


def _lift(state: State, videos: Serials) -> NDArray[np.float64]:
    lately = state.coviews.lately
    crowds = np.zeros(len(videos))
    known = videos < len(lately)
    crowds[known] = lately[videos[known]]
    return np.exp(LIFT * np.log1p(crowds))


def _share(limit: int) -> int:
    return int(limit * TAIL)


def _turns(count: int) -> NDArray[np.float64]:
    return np.arange(count) / max(count, 1)
