"""Labelled: what follows from what moderators said of a video, for everybody."""

from ranking.filters.labels import verdicts_of
from ranking.filters.verdict import Verdicts
from ranking.policy import Policy, Verdict
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, _query: Resolved, policy: Policy, serials: Serials) -> Verdicts:
    """Warn of what the policy wants a warning for, and drop what it wants nobody to be shown."""
    rules: dict[str, Verdict] = {label: rule.adult for label, rule in policy.labels.items()}
    return verdicts_of(rules, state.videos.labels[serials])
