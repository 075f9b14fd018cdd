"""What the people whom a viewer follows published last, gathered when it is asked for.

Nothing was written to anybody's feed before, so whom the viewer unfollowed or blocked a moment ago
is not in it.
"""

import numpy as np

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State

PER_AUTHOR = 50
AUTHORS_ONE_BY_ONE = 256
STRETCH = 65_536
"""Who follows more than that many is served from the newest videos of all, so many of them."""

_DAY_MS = 86_400_000


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find the newest videos of the people followed; a video is worth half after a day."""
    if query.viewer < 0:
        return NOTHING
    shut_out = state.people.shut_out(query.viewer)
    authors = np.setdiff1d(state.people.follows.of(query.viewer), shut_out, assume_unique=True)
    if not len(authors):
        return NOTHING
    serials = _published_by(state, authors)
    age_ms = np.maximum(query.as_of_ms - state.videos.published_ms[serials], 0)
    return best(state, query, serials, np.exp2(-age_ms / _DAY_MS), limit)


def _published_by(state: State, authors: Serials) -> Serials:
    if len(authors) <= AUTHORS_ONE_BY_ONE:
        return state.videos.by_authors(authors, PER_AUTHOR)
    newest = np.arange(len(state.videos) - 1, max(-1, len(state.videos) - 1 - STRETCH), -1)
    return newest[np.isin(state.videos.author[newest], authors)].astype(np.int32)
