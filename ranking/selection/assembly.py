"""The assembly of a slate, place by place: the best of what is unlike what stands there already.

At each place, every video that is left has a gain: what it is worth, and how unlike the chosen it
is (greedy maximisation of a determinantal point process; Chen et al. 2018). Usually the greatest
gain is taken. In a drawn slate the place is drawn by the softmax of the gains, which makes the
order a Plackett-Luce one with exact propensities; in the slots of exploration it is drawn among
the new. What is drawn is drawn among what the caps allow, so propensities stay exact under them.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.draws import uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ORDER_STREAM, _SLOT_STREAM = 1, 2
_TINY = 1e-6


class Field(NamedTuple):
    """The videos that a slate is assembled of, behind the `served` that were shown before.

    `likeness` (n, n) is a positive semi-definite kernel with 1 on its diagonal. `worth` (n) is in
    standard deviations; what is not to be ranked has -inf. `kinds` (k, n) are what is counted;
    negative ones are not. `weights` (served) is how far each that was served still counts, above 0
    and up to 1; the last was served last. `before` (k, n) is how many of its kind were shown
    earlier than those.
    """

    likeness: Floats
    worth: Floats
    kinds: Ints
    weights: Floats
    before: Floats


class Rules(NamedTuple):
    """The rules of an assembly.

    Within `window` places in a row each kind is there at most `caps` (k) times. Of the first p
    places, at most `shares[l] * p` are of limit l, whose videos are true in `limited` (l, n).
    `theta` weighs worth against unlikeness. The next video of a kind has `decays` (k) of the odds
    of the one before, but `floors` (k) of those of the first at least.

    Of the first p places at least `owed[m] * p` are of promise m, whose videos are true in
    `promised` (m, n), as far as there are any that the limits and caps allow; the cap on the kind
    `freed[m]` does not hold for them (-1: all do). What is explored comes before what is owed.
    """

    size: int
    window: int
    caps: Ints
    limited: Flags
    shares: Floats
    theta: float
    decays: Floats
    floors: Floats
    promised: Flags
    owed: Floats
    freed: Ints


class Chance(NamedTuple):
    """What is left to chance. `temperature` 0: the order is not drawn.

    `arms` are the videos to explore, for each of which `thetas` (times, arms) were drawn; at the
    places where `slots` (size) is true one of them is shown, each with a probability of `floor` at
    least.
    """

    seed: np.uint64
    temperature: float
    arms: Ints
    thetas: Floats
    slots: Flags
    floor: float


class Assembled(NamedTuple):
    """The slate: its videos by their places in the field, and how likely each was.

    `is_explored`: it stands there to be explored. `log_propensity` is of the draw at each place
    given those before it, NaN where nothing was drawn.
    """

    order: Ints
    is_explored: Flags
    log_propensity: Floats


def assemble(field: Field, rules: Rules, chance: Chance) -> Assembled:
    """Assemble a slate. It is shorter than its size only where no more videos are there.

    A place that is owed to a promise is taken, or drawn, among what was promised. Where nothing is
    left that the caps and limits allow, they do not hold for that place.
    """
    return Assembled(*_assemble(field, rules, chance))


@compiled
def _condition(likeness: Floats, row: int, noise: float, left: Floats, basis: Floats) -> None:
    """Take from the variance of every video what is known of it by the one in `row`.

    The last row of `basis` is filled by those before it.
    """
    known = len(basis) - 1
    scale = 1.0 / math.sqrt(max(left[row], 0.0) + noise + _TINY)
    fresh, alike = basis[known], likeness[row]
    count = len(left)
    for video in range(count):
        fresh[video] = alike[video]
    for each in range(known):
        factor, former = basis[each, row], basis[each]
        for video in range(count):
            fresh[video] -= factor * former[video]
    for video in range(count):
        fresh[video] *= scale
        left[video] -= fresh[video] * fresh[video]


@compiled
def _count(kinds: Ints, row: int, number: int, counts: Ints) -> None:
    """Add `number` to the count of every video that is of a kind with the one in `row`."""
    for kind in range(kinds.shape[0]):
        value, of_kind, counted = kinds[kind, row], kinds[kind], counts[kind]
        if value >= 0:
            for video in range(len(of_kind)):
                counted[video] += number * (of_kind[video] == value)


@compiled
def _age(kinds: Ints, row: int, weight: float, shown: Floats) -> None:
    """Count the video in `row` among those shown of its kinds."""
    for kind in range(kinds.shape[0]):
        value, of_kind, counted = kinds[kind, row], kinds[kind], shown[kind]
        if value >= 0:
            for video in range(len(of_kind)):
                counted[video] += weight * (of_kind[video] == value)


@compiled
def _allow(allowed: Flags, ruled_out: tuple[Flags, Flags, Flags], counts: Ints, caps: Ints) -> None:
    """Set which videos the caps and limits let stand at the next place."""
    taken, limited, is_full = ruled_out
    for video in range(len(taken)):
        allowed[video] = not taken[video]
    for kind in range(len(caps)):
        counted = counts[kind]
        for video in range(len(taken)):
            allowed[video] &= counted[video] < caps[kind]
    for limit in range(len(is_full)):
        if is_full[limit]:
            for video in range(len(taken)):
                allowed[video] &= not limited[limit, video]


@compiled
def _measure(
    gains: Floats, each: tuple[Floats, Floats, Floats], allowed: Flags, rules: Rules
) -> bool:
    """Set the gain of every video that is allowed, -inf for all others; tell whether one is."""
    worth, left, shown = each
    theta = rules.theta
    steps, lowest = np.log(rules.decays), np.log(rules.floors)
    is_any = False
    for video in range(len(worth)):
        gains[video] = -np.inf
        if allowed[video] and worth[video] > -np.inf:
            gain = theta * worth[video] + (1.0 - theta) * math.log(max(left[video], _TINY))
            for kind in range(len(steps)):
                gain += theta * max(lowest[kind], steps[kind] * shown[kind, video])
            gains[video] = gain
            is_any = True
    return is_any


@compiled
def _owe(
    gains: Floats,
    each: tuple[Floats, Floats, Floats],
    ruled_out: tuple[Flags, Flags, Flags],
    state: tuple[Ints, Floats],
    rules: Rules,
) -> bool:
    """Set the gains of what a promise owes to the next place: of the one that lacks most.

    `state` is what the caps count, and how much each promise lacks. Tells whether there is any;
    where none of a promise's videos may stand here, the next promise is asked.
    """
    counts, lacking = state
    due = np.empty(len(gains), np.bool_)
    for _ in range(len(lacking)):
        most = int(np.argmax(lacking))
        if lacking[most] <= _TINY:
            return False
        caps = rules.caps.copy()
        if rules.freed[most] >= 0:
            caps[rules.freed[most]] = rules.window + 1
        _allow(due, ruled_out, counts, caps)
        due &= rules.promised[most]
        if _measure(gains, each, due, rules):
            return True
        lacking[most] = 0.0
    return False


@compiled
def _draw(gains: Floats, temperature: float, number: float) -> tuple[int, float]:
    """Draw a video by the softmax of the gains; return it and the logarithm of its chance."""
    highest = np.max(gains)
    weights = np.exp((gains - highest) / temperature)
    total = np.sum(weights)
    reached, chosen = 0.0, int(np.argmax(gains))
    for video in range(len(gains)):
        reached += weights[video]
        if weights[video] > 0.0:
            chosen = video
            if number * total < reached:
                break
    return chosen, math.log(weights[chosen] / total)


@compiled
def _choose(gains: Floats, chance: Chance, place: int) -> tuple[int, float]:
    """Draw a video for a place, or take the best; then there is no chance to tell of (NaN)."""
    if chance.temperature > 0.0:
        return _draw(gains, chance.temperature, uniform(chance.seed, _ORDER_STREAM, place))
    return int(np.argmax(gains)), np.nan


@compiled
def _explore(
    arms: Ints, thetas: Floats, allowed: Flags, floor: float, number: float
) -> tuple[int, float]:
    """Draw one of the arms that are allowed, and tell how likely it was; -1 if none is.

    An arm is as likely as its draws are the highest, less what keeps all others above the floor.
    """
    wins = np.zeros(len(arms))
    is_open = np.array([allowed[arm] for arm in arms])
    count = int(np.sum(is_open))
    if count == 0:
        return -1, 0.0
    for turn in range(len(thetas)):
        best, highest = -1, -1.0
        for arm in range(len(arms)):
            if is_open[arm] and thetas[turn, arm] > highest:
                best, highest = arm, thetas[turn, arm]
        wins[best] += 1.0
    reached, chosen, likely = 0.0, -1, 0.0
    for arm in range(len(arms)):
        if is_open[arm]:
            likely = floor + (1.0 - count * floor) * wins[arm] / len(thetas)
            chosen = arm
            reached += likely
            if number < reached:
                break
    return int(arms[chosen]), likely


@compiled
def _assemble(field: Field, rules: Rules, chance: Chance) -> tuple[Ints, Flags, Floats]:
    likeness, worth, kinds, weights, before = field
    arms, thetas = chance.arms, chance.thetas
    window, limited = rules.window, rules.limited
    served, count = len(weights), len(worth)
    size = min(rules.size, count - served)
    left, shown = np.ones(count), before.copy()
    basis = np.empty((served + size, count))
    counts = np.zeros(kinds.shape, np.int64)
    taken, allowed = np.zeros(count, np.bool_), np.empty(count, np.bool_)
    gains = np.empty(count)
    of_limit, of_promise = np.zeros(len(rules.shares)), np.zeros(len(rules.owed))
    chain = np.empty(served + size, np.int64)
    explored, log_propensity = np.zeros(size, np.bool_), np.full(size, np.nan)
    for row in range(served):
        _condition(likeness, row, 1.0 / weights[row] - 1.0, left, basis[: row + 1])
        _age(kinds, row, weights[row], shown)
        taken[row] = True
        chain[row] = row
        if row > served - window:
            _count(kinds, row, 1, counts)
    filled = 0
    while filled < size:
        end = served + filled
        is_full = of_limit + 1.0 > rules.shares * (filled + 1.0) + _TINY
        ruled_out = (taken, limited, is_full)
        _allow(allowed, ruled_out, counts, rules.caps)
        chosen, likely = -1, 1.0
        if chance.slots[filled]:
            number = uniform(chance.seed, _SLOT_STREAM, filled)
            chosen, likely = _explore(arms, thetas, allowed, chance.floor, number)
        if chosen >= 0:
            explored[filled] = True
            log_propensity[filled] = math.log(likely)
        else:
            each = (worth, left, shown)
            lacking = rules.owed * (filled + 1.0) - of_promise
            if (
                not _owe(gains, each, ruled_out, (counts, lacking), rules)
                and not _measure(gains, each, allowed, rules)
                and not _measure(gains, each, ~taken, rules)
            ):
                break
            chosen, log_propensity[filled] = _choose(gains, chance, filled)
        chain[end] = chosen
        taken[chosen] = True
        of_limit += limited[:, chosen]
        of_promise += rules.promised[:, chosen]
        _condition(likeness, chosen, 0.0, left, basis[: end + 1])
        _age(kinds, chosen, 1.0, shown)
        _count(kinds, chosen, 1, counts)
        if end - window + 1 >= 0:
            _count(kinds, chain[end - window + 1], -1, counts)
        filled += 1
    end = served + filled
    return chain[served:end].copy(), explored[:filled], log_propensity[:filled]
