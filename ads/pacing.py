"""How much of its bid each line bids now, so that its budget lasts as long as it was planned.

The worker that paces steps all lines about once a second and publishes the multipliers with the
index. Only how soon money is spent depends on them, never how much: caps are kept by leases, so a
pacer that is wrong, late or dead costs nobody more than they agreed to.

Shading the bid keeps the opportunities that are worth most and drops the dearest; leaving some out
by chance drops good and bad alike. See docs/decisions for what was measured.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEAST = 1e-4
"""No line bids a smaller part of its bid: it has to be able to come back."""


class Gains(NamedTuple):
    """How strongly an error moves the logarithm of a multiplier.

    `integral` is per thousandth of a day. No error is measured against less than `floor_micros`,
    an impression's price, else what is left of a budget could make it infinite. Below `hysteresis`
    (in logarithms) a change stays unpublished, so that an index is not new for nothing.
    """

    proportional: float = 40.0
    integral: float = 1.5
    floor_micros: float = 1000.0
    most: float = 1.0
    hysteresis: float = 0.005


GAINS = Gains()


class State(NamedTuple):
    """What the pacer remembers of each line between two steps."""

    logarithms: Array
    errors: Array
    published: Array

    @property
    def multipliers(self) -> Array:
        """The part of its bid that each line bids, in [LEAST, 1]."""
        return np.exp(self.published)

    @classmethod
    def warm(cls, multipliers: ArrayLike) -> "State":
        """Begin a day with what a plan, or the day before, ended at."""
        found = np.log(np.clip(np.asarray(multipliers, np.float64), LEAST, 1.0))
        return cls(found, np.zeros_like(found), found.copy())


def step(  # noqa: PLR0913 - a controller has a state, a measurement, a target and a clock
    state: State,
    spent_micros: ArrayLike,
    held_micros: ArrayLike,
    budget_micros: ArrayLike,
    target_share: ArrayLike,
    *,
    dt: float,
    gains: Gains = GAINS,
) -> State:
    """Bring each line nearer to its target by the error and by its change, in logarithms.

    Args:
        state: as it was returned a step ago.
        spent_micros: of today, as it is settled.
        held_micros: the part of what is held that is expected to be billed.
        budget_micros: of today; a line without one bids the least.
        target_share: of the budget, to be spent by now.
        dt: the share of a day that has passed since the last step; after an outage it may be
            long, and still moves no line by more than `gains.most`.
        gains: how strongly.
    """
    budget = np.asarray(budget_micros, np.float64)
    spent = np.asarray(spent_micros, np.float64) + np.asarray(held_micros, np.float64)
    target = np.clip(np.asarray(target_share, np.float64), 0.0, 1.0)
    errors = (spent - target * budget) / np.maximum(budget, gains.floor_micros)
    change = gains.proportional * (errors - state.errors)
    change += gains.integral * errors * max(dt, 0.0) * 1000.0
    moved = state.logarithms - np.clip(change, -gains.most, gains.most)
    # Held at its ends: what lies beyond is not remembered, so that nothing has to be unwound.
    logarithms = np.where(budget > 0, np.clip(moved, np.log(LEAST), 0.0), np.log(LEAST))
    told = np.abs(logarithms - state.published) >= gains.hysteresis
    # Both ends are published as they are: a line that may bid all of its bid does so.
    told |= (logarithms >= 0.0) | (logarithms <= np.log(LEAST))
    return State(logarithms, errors, np.where(told, logarithms, state.published))


def urgency(owed: Sequence[float] | Array, coming: Sequence[float] | Array) -> Array:
    """Return the least part of its bid, at most 1, that each guaranteed line bids.

    The square root of what is still owed over what is forecast to come: a line that needs all
    that comes bids all of its bid, one that needs a hundredth bids a tenth, and none that owes
    nothing bids.
    """
    owed_now = np.maximum(np.asarray(owed, np.float64), 0.0)
    ahead = np.maximum(np.asarray(coming, np.float64), 0.0)
    share = np.where(ahead > owed_now, owed_now / np.where(ahead > 0, ahead, 1.0), 1.0)
    return np.where(owed_now > 0, np.sqrt(share), 0.0)
