"""The candidates of a query: what the sources bring, each up to its quota, and each video once.

Who brought a video is kept as bits. Where little is left that may be shown, the quotas grow, and in
the end the whole catalogue is gone through, newest first: a slate ends where the videos do.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.filters import Judged, judge
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.ranker import Ranker
from ranking.sources import SOURCES
from ranking.state import State
from ranking.steering.effect import Promise, hidden

LATEST_BIT = 15
_GROWTH = 4
_STRETCH = 4096


class Candidates(NamedTuple):
    """Videos that may be shown, the bits of the sources of each, and what was said of them.

    `rules` counts what was left out on the way, by rule.
    """

    serials: Serials
    sources: NDArray[np.int32]
    judged: Judged
    rules: dict[str, int]


def gather(
    state: State, model: Ranker, policy: Policy, query: Resolved, *, enough: int
) -> Candidates:
    """Return the candidates: at most as many as the policy says, and `enough` where they are."""
    asker = query if query.is_personal else query._replace(viewer=-1)
    found = _judged(state, policy, query, *_merged(state, model, policy, asker, growth=1))
    if len(found.serials) < enough:
        found = _judged(state, policy, query, *_merged(state, model, policy, asker, growth=_GROWTH))
    if len(found.serials) < enough:
        found = _joined(found, _latest(state, policy, query, found.serials, enough))
    limit = policy.limits.candidates
    kept = Judged(found.judged.verdict[:limit], found.judged.rule[:limit])
    return Candidates(found.serials[:limit], found.sources[:limit], kept, found.rules)


def asked_for(found: Candidates, promises: Sequence[Promise]) -> Candidates:
    """Return the candidates with `steered` among the sources of all that the viewer asked for."""
    sources = found.sources.copy()
    for promise in promises:
        sources[promise.mask] |= 1 << SOURCES["steered"].bit
    return found._replace(sources=sources)


@lru_cache(maxsize=4096)
def source_names(bits: int) -> tuple[str, ...]:
    """Return the names of the sources whose bits are set."""
    names = {**{name: source.bit for name, source in SOURCES.items()}, "latest": LATEST_BIT}
    return tuple(name for name, bit in names.items() if bits >> bit & 1)


def _merged(
    state: State, model: Ranker, policy: Policy, query: Resolved, *, growth: int
) -> tuple[Serials, NDArray[np.int32]]:
    """Ask the sources; of each, what it ranks first relative to its quota comes first."""
    serials: list[Serials] = []
    bits: list[NDArray[np.int32]] = []
    turns: list[NDArray[np.float64]] = []
    for name, source in SOURCES.items():
        quota = policy.quotas.get(name, 0) * growth
        if not quota:
            continue
        found = source.find(state, query, policy, quota, model).serials[:quota]
        serials.append(found)
        bits.append(np.full(len(found), 1 << source.bit, np.int32))
        turns.append(np.arange(len(found)) / quota)
    if not serials:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    every, bit, turn = np.concatenate(serials), np.concatenate(bits), np.concatenate(turns)
    order = np.lexsort((turn, every))
    every, bit, turn = every[order], bit[order], turn[order]
    starts = np.flatnonzero(np.concatenate([[True], every[1:] != every[:-1]]))[: len(every)]
    order = np.argsort(turn[starts], kind="stable")
    return every[starts][order], np.bitwise_or.reduceat(bit, starts)[order]


def _judged(
    state: State,
    policy: Policy,
    query: Resolved,
    serials: Serials,
    bits: NDArray[np.int32],
) -> Candidates:
    """Leave out what may not be shown, and what the viewer said they do not want to see at all."""
    judged = judge(state, query, policy, serials)
    shown = np.flatnonzero(judged.is_shown)
    counts = judged.counts()
    unwanted = hidden(state, query.viewer, serials[shown], query.as_of_ms)
    if unwanted.any():
        counts["steering"] = int(np.count_nonzero(unwanted))
        shown = shown[~unwanted]
    kept = Judged(judged.verdict[shown], judged.rule[shown])
    return Candidates(serials[shown], bits[shown], kept, counts)


def _latest(
    state: State, policy: Policy, query: Resolved, known: Serials, enough: int
) -> list[Candidates]:
    """Go through the catalogue from its end, until there is enough or nothing more."""
    found: list[Candidates] = []
    count, end = len(known), len(state.videos)
    while end > 0 and count < enough:
        begin = max(0, end - _STRETCH)
        stretch = np.arange(end - 1, begin - 1, -1, dtype=np.int32)
        stretch = stretch[~np.isin(stretch, known)]
        bits = np.full(len(stretch), 1 << LATEST_BIT, np.int32)
        more = _judged(state, policy, query, stretch, bits)
        found.append(more)
        count, end = count + len(more.serials), begin
    return found


def _joined(found: Candidates, more: list[Candidates]) -> Candidates:
    parts = [found, *more]
    rules: dict[str, int] = {}
    for part in parts:
        for rule, count in part.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    judged = Judged(
        np.concatenate([part.judged.verdict for part in parts]),
        np.concatenate([part.judged.rule for part in parts]),
    )
    return Candidates(
        np.concatenate([part.serials for part in parts]),
        np.concatenate([part.sources for part in parts]),
        judged,
        rules,
    )
