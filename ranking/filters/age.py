"""Age: what follows from what moderators said of a video, for those who are not of age."""

import numpy as np

from ranking.filters.labels import verdicts_of
from ranking.filters.verdict import Verdicts, dropped
from ranking.policy import Policy, Verdict
from ranking.query import Resolved, Serials
from ranking.state import State

_ADULT = 2


def judge(state: State, query: Resolved, policy: Policy, serials: Serials) -> Verdicts:
    """Drop what is not for minors; an account that is not known yet counts as one."""
    if query.viewer >= 0 and state.people.band[query.viewer] == _ADULT:
        return dropped(np.zeros(len(serials), np.bool_))
    rules: dict[str, Verdict] = {label: rule.minor for label, rule in policy.labels.items()}
    return verdicts_of(rules, state.videos.labels[serials])
