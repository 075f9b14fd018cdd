"""Visibility: a video for followers is for them alone, and one with a link in no feed.

The same sense as `domain.video.visibility.may_list`, for many videos at once; what is one's own
another rule decides on.
"""

from ranking.catalogue import Visibility
from ranking.filters.verdict import Verdicts, among, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop what the viewer may not see listed."""
    visibility = state.videos.visibility[serials]
    is_hidden = visibility != Visibility.PUBLIC
    if query.viewer >= 0:
        followed = among(state.videos.author[serials], state.people.follows.of(query.viewer))
        is_hidden &= ~((visibility == Visibility.FOLLOWERS) & followed)
    return dropped(is_hidden)
