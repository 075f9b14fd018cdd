"""What the viewer said they want to see more of."""

import numpy as np

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State
from ranking.steering import effect
from ranking.steering.rules import Rule

_CONSIDERED, _CONSIDERED_MAX = 4, 2000


def find(state: State, query: Resolved, policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find what the viewer's rules boost: of each rule some, oftener of the stronger ones."""
    if query.viewer < 0:
        return NOTHING
    rules = [rule for rule in state.people.rules(query.viewer) if rule.acts(query.as_of_ms)]
    if not rules:
        return NOTHING
    if not policy.steering.promised:
        serials, strength = effect.find(state, rules, limit * _CONSIDERED)
        return best(state, query, serials, strength, limit)
    seen = len(state.histories.block(query.viewer).rows)
    considered = min(limit * _CONSIDERED + seen, _CONSIDERED_MAX)
    boosts = [rule for rule in rules if rule.kind == "boost"]
    return _in_turn(boosts, [_of(state, query, rule, limit, considered) for rule in boosts], limit)


def _of(state: State, query: Resolved, rule: Rule, limit: int, considered: int) -> Found:
    return best(state, query, *effect.find(state, [rule], considered), limit)


def _in_turn(rules: list[Rule], found: list[Found], limit: int) -> Found:
    """Return what each rule found, the best of all first, each video once.

    What a promise is of must be among the candidates, however much a stronger rule finds.
    """
    if not found:
        return NOTHING
    serials = np.concatenate([each.serials for each in found])
    strength = np.concatenate([each.strength for each in found])
    turns = [
        np.arange(1, len(each.serials) + 1) / rule.strength
        for rule, each in zip(rules, found, strict=True)
    ]
    order = np.lexsort((-serials, np.concatenate(turns)))
    _, first = np.unique(serials[order], return_index=True)
    kept = order[np.sort(first)][:limit]
    return Found(serials[kept], strength[kept])
