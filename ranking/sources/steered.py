"""What the viewer said they want to see more of."""

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State
from ranking.steering import effect

_CONSIDERED = 4


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find what the viewer's rules boost."""
    if query.viewer < 0:
        return NOTHING
    rules = [rule for rule in state.people.rules(query.viewer) if rule.acts(query.as_of_ms)]
    if not rules:
        return NOTHING
    serials, strength = effect.find(state, rules, limit * _CONSIDERED)
    return best(state, query, serials, strength, limit)
