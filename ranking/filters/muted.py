"""Muted: whom the viewer does not want to see."""

from ranking.filters.verdict import Verdicts, among, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop videos of muted authors."""
    muted = state.people.mutes.of(query.viewer) if query.viewer >= 0 else query.pending[:0]
    return dropped(among(state.videos.author[serials], muted))
