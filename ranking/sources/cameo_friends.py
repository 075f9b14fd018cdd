"""Videos with people who lent the viewer their cameo, or whom the viewer lent theirs.

Friends are who is one now: a recalled permission takes the friend's videos out at once.
"""

import numpy as np

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State

STRETCH = 32_768
"""So many of the newest videos of all are looked through."""

_WEEK_MS = 7 * 86_400_000


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find the newest videos in which friends appear; more of them count more, a week halves."""
    if query.viewer < 0:
        return NOTHING
    friends = state.cameos.friends(query.viewer, query.as_of_ms)
    if not len(friends):
        return NOTHING
    count = len(state.videos)
    newest = np.arange(max(0, count - STRETCH), count, dtype=np.int32)
    offsets, cameos = state.videos.cameos_of(newest)
    known = cameos >= 0
    is_friend = np.zeros(len(cameos), np.bool_)
    is_friend[known] = np.isin(state.cameos.owner[cameos[known]], friends)
    before = np.concatenate([[0], np.cumsum(is_friend)])
    appearing = before[offsets[1:]] - before[offsets[:-1]]
    found = np.flatnonzero(appearing)
    age_ms = np.maximum(query.as_of_ms - state.videos.published_ms[newest[found]], 0)
    return best(state, query, newest[found], appearing[found] * np.exp2(-age_ms / _WEEK_MS), limit)
