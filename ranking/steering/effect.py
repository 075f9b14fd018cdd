"""What rules and marks of "less" do to a page: raise, damp, bound and hide.

The worth of a video is in standard deviations among the candidates; what is added here is, too. A
rule that has ended, or was taken back, does nothing: the page is as if it had never been said.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.compiled import compiled
from ranking.policy import Steering
from ranking.state import State
from ranking.steering.matching import MATCHED, Sight
from ranking.steering.rules import Rule

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

LESS_AUTHOR, LESS_LINE, LESS_SUBJECT = 1.2, 1.2, 1.6
LESS_HALF_LIFE_MS = 14 * 86_400_000
LESS_ENDS_MS = 4 * LESS_HALF_LIFE_MS
WORTH_MAX = 4.0

_KNOWN_MAX = 2000

Kind = Literal["author", "topic"]
_FREED: Mapping[str, Kind] = {
    "author": "author",
    "topic": "topic",
    "mood": "topic",
    "hashtag": "topic",
}


class Limit(NamedTuple):
    """Of any first n places of a page, at most `share` times n are of those in `mask`."""

    rule_id: UUID
    mask: Flags
    share: float


class Promise(NamedTuple):
    """Of any first n places of a page, at least `share` times n are of those in `mask`.

    As far as there are any that may be shown. `free` is the kind whose cap does not hold for them,
    since it is what was asked for: of a subject its topic, of a person the author.
    """

    rule_id: UUID
    mask: Flags
    share: float
    free: Kind | None


class Effect(NamedTuple):
    """What becomes of each of some videos: `boost` is added to its worth."""

    boost: Floats
    limits: tuple[Limit, ...]
    promises: tuple[Promise, ...]


def hidden(state: State, viewer: int, serials: Serials, as_of_ms: int) -> Flags:
    """Tell which videos a viewer does not want to see at all, on no page that is ranked."""
    unwanted = np.zeros(len(serials), np.bool_)
    hides = [rule for rule in _acting(state, viewer, as_of_ms) if rule.kind == "hide"]
    if hides and len(serials):
        sight = Sight(state, serials, viewer)
        for rule in hides:
            unwanted |= sight.matches(rule) >= MATCHED
    return unwanted


def effect(state: State, viewer: int, serials: Serials, as_of_ms: int, policy: Steering) -> Effect:
    """Return what a viewer's rules and marks do to videos that are not `hidden`."""
    boost, limits = np.zeros(len(serials), np.float64), list[Limit]()
    promises = list[Promise]()
    if viewer >= 0 and len(serials):
        sight = Sight(state, serials, viewer)
        for rule in _acting(state, viewer, as_of_ms):
            match rule.kind:
                case "boost":
                    matches = sight.matches(rule)
                    boost += policy.boost * rule.strength * matches
                    share, free = policy.promised * rule.strength, _FREED.get(rule.about)
                    promises.append(Promise(rule.rule_id, matches >= MATCHED, share, free))
                case "limit":
                    matches = sight.matches(rule)
                    boost -= policy.damp * rule.strength * matches
                    share = round(policy.left * (1 - rule.strength), 6)
                    limits.append(Limit(rule.rule_id, matches >= MATCHED, share))
                case _:
                    pass
        boost -= _less(state, viewer, sight, as_of_ms)
    bounded = np.round(np.clip(boost, -WORTH_MAX, WORTH_MAX), 6).astype(np.float32)
    return Effect(bounded, tuple(limits), _kept(promises, policy.promised_max))


def matches(state: State, rule: Rule, serials: Serials, viewer: int = -1) -> Floats:
    """Return how well each video matches a rule, 0 to 1."""
    return Sight(state, serials, viewer).matches(rule)


def find(state: State, rules: Sequence[Rule], limit: int) -> tuple[Serials, Floats]:
    """Find the videos that boosts speak for, best first, at most `limit` a rule.

    All videos are compared with what a rule means, and those that have its words are looked up.
    Rules that have ended are for the caller to leave out.
    """
    strength = dict[int, float]()
    for rule in rules:
        if rule.kind != "boost" or not len(state.videos):
            continue
        known = _known(state, rule, limit)
        matched = matches(state, rule, known)
        best = np.lexsort((-known, -matched))[:limit]
        for serial, match in zip(known[best].tolist(), matched[best].tolist(), strict=True):
            if match > 0:
                strength[serial] = max(strength.get(serial, 0.0), match * rule.strength)
    serials = np.array(list(strength), np.int32)
    spoken = np.array(list(strength.values()), np.float32)
    order = np.lexsort((-serials, -spoken))
    return serials[order], spoken[order]


def _kept(promises: Sequence[Promise], most: float) -> tuple[Promise, ...]:
    """Return the promises that can be kept beside one another: each of less if they are too much.

    One that nothing here matches leaves its share to the others.
    """
    some = [promise for promise in promises if promise.share > 0 and promise.mask.any()]
    total = sum(promise.share for promise in some)
    scale = most / total if total > most else 1.0
    return tuple(promise._replace(share=round(promise.share * scale, 6)) for promise in some)


def _acting(state: State, viewer: int, as_of_ms: int) -> list[Rule]:
    rules = state.people.rules(viewer) if viewer >= 0 else ()
    return [rule for rule in rules if rule.acts(as_of_ms)]


def _known(state: State, rule: Rule, limit: int) -> Serials:
    """Return the videos that may match a rule best, newest first among equals."""
    videos = state.videos
    if rule.about == "author":
        return videos.by_author(rule.author, limit)
    if rule.about in {"length", "form"}:
        newest = np.arange(len(videos), dtype=np.int32)[::-1][:_KNOWN_MAX]
        return newest[matches(state, rule, newest) > 0]
    named = [videos.saying(word, limit) for phrase in rule.phrases for word in phrase[:1]]
    near = _nearest(videos.codes, rule.vector, limit)
    return np.unique(np.concatenate([np.zeros(0, np.int32), near, *named])).astype(np.int32)


def _nearest(codes: NDArray[np.int8], vector: Floats, limit: int) -> Serials:
    if not vector.any():
        return np.zeros(0, np.int32)
    products = np.zeros(len(codes), np.int32)
    _multiply(codes, np.rint(vector * 127).astype(np.int32), products)
    # By the bound, not by place: which of equals a partition puts first is not defined.
    wanted = min(limit, len(products))
    bound = np.partition(products, len(products) - wanted)[len(products) - wanted]
    return np.flatnonzero(products >= max(int(bound), 1)).astype(np.int32)


def _less(state: State, viewer: int, sight: Sight, as_of_ms: int) -> NDArray[np.float64]:
    """Return what is taken from each video for its likeness to what less was asked of."""
    videos, taken = state.videos, np.zeros(len(sight.serials), np.float64)
    for video, at_ms in state.people.less(viewer):
        age_ms = max(0, as_of_ms - at_ms)
        if age_ms >= LESS_ENDS_MS:
            continue
        # Rounded, so that no machine's last bit of a power turns an order.
        weight = round(2.0 ** (-age_ms / LESS_HALF_LIFE_MS), 6)
        same_author = videos.author[sight.serials] == videos.author[video]
        same_line = videos.line[sight.serials] == videos.line[video]
        subject = sight.alike(videos.codes[video].astype(np.float32)).astype(np.float64)
        taken += weight * (
            LESS_AUTHOR * same_author + LESS_LINE * same_line + LESS_SUBJECT * subject
        )
    return taken


@compiled
def _multiply(
    codes: NDArray[np.int8], code: NDArray[np.int32], products: NDArray[np.int32]
) -> None:
    for video in range(len(codes)):
        total = np.int32(0)
        for place in range(codes.shape[1]):
            total += np.int32(codes[video, place]) * code[place]
        products[video] = total
