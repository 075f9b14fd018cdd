"""Seen: what the viewer was shown within 30 days, or is about to be, is not shown again."""

import numpy as np

from ranking.filters.verdict import Verdicts, among, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop what was seen, and what other slates of the viewer hold that nobody reported on yet."""
    is_seen = among(serials, np.sort(query.pending))
    if query.viewer >= 0:
        is_seen |= state.histories.seen(query.viewer, serials, query.as_of_ms)
    return dropped(is_seen)
