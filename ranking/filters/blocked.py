"""Blocked: neither of two accounts sees the other, be it as the author or as a cameo.

Whoever blocks a person need not look at them in the videos of others either.
"""

import numpy as np

from ranking.filters.verdict import Verdicts, among, any_of, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop videos whose author, or one of whose cameos' owners, is blocked or blocks."""
    if query.viewer < 0:
        return dropped(np.zeros(len(serials), np.bool_))
    shut_out = state.people.shut_out(query.viewer)
    is_blocked = among(state.videos.author[serials], shut_out)
    if len(shut_out):
        offsets, cameos = state.videos.cameos_of(serials)
        is_blocked |= any_of(offsets, among(state.cameos.owner[cameos], shut_out))
    return dropped(is_blocked)
