"""Slates: from what candidates are worth to what is shown, in order, and how likely that was."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import Videos
from ranking.decision import Slot
from ranking.draws import uniform
from ranking.policy import Exploration, Policy
from ranking.query import Resolved, Serials
from ranking.selection import exploration
from ranking.selection.assembly import Chance, Field, Rules, assemble
from ranking.selection.exploration import Arms
from ranking.selection.likeness import likeness
from ranking.state import State
from ranking.steering.effect import Effect, Promise

arms_of = exploration.arms

_SHARE_STREAM = 4
_KINDS, _LINE = 3, 1
_FREED = {"author": 0, "topic": 2, None: -1}
_HOUR_MS = 3_600_000
_SPARE = 2


class Slate(NamedTuple):
    """What is shown: places among the candidates, and for each why it stands there.

    `is_drawn`: the order is one of the few that are drawn. `log_propensity` is NaN where nothing
    was left to chance.
    """

    places: NDArray[np.int64]
    slots: list[Slot]
    log_propensity: NDArray[np.float64]
    is_drawn: bool


def select(  # noqa: PLR0913, PLR0917 - what a selection depends on
    state: State,
    query: Resolved,
    policy: Policy,
    serials: Serials,
    worth: NDArray[np.float64],
    open_: Arms,
    steering: Effect,
    size: int,
) -> Slate:
    """Select the slate from candidates of which `worth` (NaN: not ranked) is known."""
    likes = policy.diversity
    scored = np.flatnonzero(~np.isnan(worth))
    best = scored[np.argsort(-worth[scored], kind="stable")[: likes.pool]]
    members = np.concatenate([best, np.setdiff1d(open_.places, best)])
    served = _served(state, query, likes.carried)
    carried = likes.carry_decay ** np.arange(len(served), 0, -1, dtype=np.float64)
    served, carried = served[carried > 0], carried[carried > 0]
    count = len(served)
    rows = np.concatenate([served, serials[members]])
    kinds = _kinds(state.videos, rows)
    ranked = np.full(len(rows), -np.inf)
    ranked[count : count + len(best)] = worth[best]
    field = Field(
        likeness(state.videos, rows, likes),
        ranked,
        kinds,
        carried,
        _before(state, query, likes.line_memory_h, rows, count),
    )
    limits, promises = steering.limits, steering.promises
    masks = [limit.mask for limit in limits], [promise.mask for promise in promises]
    limited, owed = (_rows(each, members, served=count) for each in masks)
    decays = (policy.author_decay, policy.line_decay, policy.topic_decay)
    rules = Rules(
        size=size,
        window=likes.window,
        caps=np.array([likes.author_max, likes.line_max, likes.topic_max]),
        limited=limited,
        shares=np.array([limit.share for limit in limits], np.float64),
        theta=likes.theta,
        decays=np.array([decay.factor for decay in decays]),
        floors=np.array([decay.floor for decay in decays]),
        promised=owed,
        owed=np.array([promise.share for promise in promises], np.float64),
        freed=np.array([_FREED[promise.free] for promise in promises], np.int64),
    )
    is_drawn = uniform(np.uint64(query.query.seed), _SHARE_STREAM, 0) < policy.exploration.share
    where = np.empty(len(serials), np.int64)
    where[members] = np.arange(count, count + len(members))
    chance = Chance(
        seed=np.uint64(query.query.seed),
        temperature=policy.exploration.temperature if is_drawn else 0.0,
        arms=where[open_.places],
        thetas=open_.thetas,
        slots=_slots(policy.exploration, size),
        floor=policy.exploration.floor,
    )
    made = assemble(field, rules, chance)
    places = members[made.order - count]
    fresh = {int(place) for place in open_.places[open_.is_fresh]}
    return Slate(
        places,
        [
            _slot(int(place), is_explored=bool(explored), fresh=fresh)
            for place, explored in zip(places, made.is_explored, strict=True)
        ],
        made.log_propensity,
        is_drawn,
    )


def promised(
    promises: Sequence[Promise], worth: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """Return the places, among the candidates, of what a slate may need to keep the promises.

    Of each promise the best by `worth` (NaN: not known), more than are owed: caps forbid some.
    """
    found = [np.zeros(0, np.int64)]
    for promise in promises:
        matching = np.flatnonzero(promise.mask & ~np.isnan(worth))
        best = matching[np.argsort(-worth[matching], kind="stable")]
        found.append(best[: ceil(_SPARE * promise.share * size)])
    return np.unique(np.concatenate(found))


def _rows(
    masks: Sequence[NDArray[np.bool_]], members: NDArray[np.int64], *, served: int
) -> NDArray[np.bool_]:
    """Return the masks, of the candidates, for what the slate is assembled of."""
    rows = np.zeros((len(masks), served + len(members)), np.bool_)
    for number, mask in enumerate(masks):
        rows[number, served:] = mask[members]
    return rows


def _served(state: State, query: Resolved, carried: int) -> Serials:
    """Return the videos that were last served to the viewer, each once, oldest first."""
    known = state.histories.served(query.viewer) if query.viewer >= 0 else query.pending[:0]
    served = np.concatenate([known, query.pending])[::-1]
    _, first = np.unique(served, return_index=True)
    return served[np.sort(first)][:carried][::-1].astype(np.int32)


def _before(
    state: State, query: Resolved, memory_h: int, rows: Serials, served: int
) -> NDArray[np.float64]:
    """Return how many of its line the viewer was shown lately, before those that are carried.

    Of authors and topics what is carried is enough: there are few of them, and they come again.
    """
    before = np.zeros((_KINDS, len(rows)))
    lately = query.pending
    if query.viewer >= 0:
        since_ms = query.as_of_ms - memory_h * _HOUR_MS
        lately = np.union1d(lately, state.histories.lately(query.viewer, since_ms))
    lines = np.sort(state.videos.line[np.setdiff1d(lately, rows[:served])])
    line = state.videos.line[rows]
    before[_LINE] = np.searchsorted(lines, line, "right") - np.searchsorted(lines, line, "left")
    return before


def _kinds(videos: Videos, rows: Serials) -> NDArray[np.int64]:
    """Return what the caps count: author, line and topic. Topic 0 is that of what says nothing."""
    topic = videos.topic[rows]
    columns = (videos.author[rows], videos.line[rows], np.where(topic > 0, topic, -1))
    return np.stack(columns).astype(np.int64)


def _slots(policy: Exploration, size: int) -> NDArray[np.bool_]:
    slots = np.zeros(size, np.bool_)
    slots[policy.slot_first - 1 :: policy.slot_step] = True
    return slots


def _slot(place: int, *, is_explored: bool, fresh: set[int]) -> Slot:
    if not is_explored:
        return "rank"
    return "fresh" if place in fresh else "explore"
