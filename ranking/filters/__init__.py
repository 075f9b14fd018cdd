"""The filters: what may be shown to a viewer, whatever it is worth. One rule, one file.

Apart from the ranking, so that no score can outweigh a rule. Each rule gives a verdict: allow, show
behind a warning, or drop; what one rule drops no other asks about. They read what is known in the
state at the moment of the query, so a block, a recall or a deletion acts on the next slate.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.filters import (
    age,
    blocked,
    consent,
    labelled,
    muted,
    own,
    removed,
    seen,
    visibility,
)
from ranking.filters.verdict import ALLOW, DROP, INTERSTITIAL, Verdicts
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State

__all__ = ["ALLOW", "DROP", "INTERSTITIAL", "RULES", "Judged", "judge", "still_allowed"]

Rule = Callable[[State, Resolved, Policy, Serials], Verdicts]

# In the order in which they are asked: those that cost least and drop most come first.
RULES: Mapping[str, Rule] = {
    "removed": removed.judge,
    "visibility": visibility.judge,
    "own": own.judge,
    "seen": seen.judge,
    "muted": muted.judge,
    "blocked": blocked.judge,
    "labelled": labelled.judge,
    "age": age.judge,
    "consent": consent.judge,
}

_NAMES: tuple[str, ...] = tuple(RULES)
_NONE = -1


class Judged(NamedTuple):
    """The verdict on each video, and the rule that it follows from (its number in RULES, or -1)."""

    verdict: Verdicts
    rule: NDArray[np.int8]

    @property
    def is_shown(self) -> NDArray[np.bool_]:
        """Whether each may be shown, with or without a warning."""
        return np.not_equal(self.verdict, DROP)

    def warning(self, place: int) -> str | None:
        """Return the rule why a warning stands before a video, None if none does."""
        return _NAMES[int(self.rule[place])] if self.verdict[place] == INTERSTITIAL else None

    def counts(self) -> dict[str, int]:
        """Return how many videos each rule dropped, or warned of (`<rule>:interstitial`)."""
        counted: dict[str, int] = {}
        named: list[int] = np.unique(self.rule[self.rule != _NONE]).tolist()
        for number in named:
            name, of_rule = _NAMES[number], self.verdict[self.rule == number]
            dropped = int(np.count_nonzero(of_rule == DROP))
            if dropped:
                counted[name] = dropped
            if len(of_rule) > dropped:
                counted[f"{name}:interstitial"] = len(of_rule) - dropped
        return counted


def judge(
    state: State,
    query: Resolved,
    policy: Policy,
    serials: Serials,
    rules: Sequence[str] = _NAMES,
) -> Judged:
    """Ask the rules about videos. The first that drops one decides; else the first that warns."""
    verdict = np.full(len(serials), ALLOW, np.int8)
    rule = np.full(len(serials), _NONE, np.int8)
    left = np.arange(len(serials))
    for number, name in enumerate(_NAMES):
        if name not in rules or not len(left):
            continue
        said = RULES[name](state, query, policy, serials[left])
        stricter = said > verdict[left]
        moved = left[stricter]
        verdict[moved], rule[moved] = said[stricter], number
        if stricter.any():
            left = left[said != DROP]
    return Judged(verdict, rule)


def still_allowed(state: State, query: Resolved, policy: Policy, serials: Serials) -> Judged:
    """Ask again about what was decided to be shown, as it is about to be: all rules but `seen`."""
    rules = [name for name in _NAMES if name != "seen"]
    return judge(state, query, policy, serials, rules)
