"""Removed: videos that were deleted, by their author or by who moderates."""

from ranking.filters.verdict import Verdicts, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, _query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop what is not there any more."""
    return dropped(~state.videos.live[serials])
