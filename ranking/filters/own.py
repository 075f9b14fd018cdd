"""Own: nobody is recommended what they made themselves."""

from ranking.filters.verdict import Verdicts, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop the viewer's own videos; of an account that is not known yet there are none."""
    is_own = state.videos.author[serials] == query.viewer
    return dropped(is_own if query.viewer >= 0 else is_own & False)
