"""What a house learns of its own ads: chances fitted to what came, and judged on what came later.

The same examples give the same chances. An event of which too little came keeps what was believed
of it before. Which ad stands where is the auction's choice, and chances are given the features: so
what was explored counts like the rest, and nothing is weighted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads import calibration
from ads.fitting import fit_head, fit_reach
from ads.probability import PLACES, Head, Probabilities

Floats = NDArray[np.float64]

FEATURES = "features-1"
"""The version of chances that go by the features of `ads.probability`; others are not believed."""

OUTCOMES_MIN = 100
"""An event is learnt of from so many on, and as many times that it did not come."""

NEAR = 0.02
"""As far as what came may be from what was expected, whatever the set before had."""

_LEARNT_SHARE = 0.8
_CALIBRATED_FROM = 0.6
_USUAL_REACH = 0.97
_FIRST_SHARE = 0.25


class Example(NamedTuple):
    """An ad that was shown at a place of a page, and what came of it."""

    features: tuple[str, ...]
    place: int
    viewed: bool
    completed: bool
    clicked: bool


class Ratio(NamedTuple):
    """What came over what was expected, of views and of clicks; 1 where neither."""

    view: float
    click: float

    @property
    def error(self) -> float:
        """How far the worse of both is from 1, either way."""
        return float(max(abs(np.log(self.view)), abs(np.log(self.click))))


class Learnt(NamedTuple):
    """Chances, and how they and those before them expect what they have not learnt of."""

    chances: Probabilities
    before: Ratio
    after: Ratio

    @property
    def is_worse(self) -> bool:
        """Whether what was believed before expects better, by more than nobody minds."""
        return self.after.error > max(self.before.error, float(np.log1p(NEAR)))


def learn(examples: Sequence[Example], in_force: Probabilities) -> Learnt | None:
    """Fit chances to the earlier of these examples, in the order of their time.

    Returns:
        what was learnt, judged on the later ones; None where there is too little of everything.

    Raises:
        ValueError: what was fitted is no chance.
    """
    learnt = int(_LEARNT_SHARE * len(examples))
    earlier, later = examples[:learnt], examples[learnt:]
    seen = [one for one in earlier if one.viewed]
    view = _fitted(earlier, [one.viewed for one in earlier])
    complete = _fitted(seen, [one.completed for one in seen])
    click = _fitted(seen, [one.clicked for one in seen])
    if view is None and complete is None and click is None:
        return None
    reach = in_force.reach
    if view is not None:
        reach = _reach(earlier)
        view = _before_arrival(view, reach, earlier)
    chances = Probabilities(
        FEATURES,
        view or in_force.view,
        complete or in_force.complete,
        click or in_force.click,
        reach,
    )
    return Learnt(chances, ratio(later, in_force), ratio(later, chances))


def ratio(examples: Sequence[Example], chances: Probabilities) -> Ratio:
    """Return how many views and clicks came for each that these chances expect."""
    features = [one.features for one in examples]
    views = _came(chances.reach, examples) * _of(chances.view, features)
    clicks = views * _of(chances.click, features)
    return ratio_of(
        (sum(one.viewed for one in examples), float(views.sum())),
        (sum(one.clicked for one in examples), float(clicks.sum())),
    )


def ratio_of(views: tuple[int, float], clicks: tuple[int, float]) -> Ratio:
    """Return the ratio of what came and was expected; one more of both keeps it finite."""
    return Ratio(*((came + 1) / (expected + 1) for came, expected in (views, clicks)))


def _fitted(examples: Sequence[Example], came: Sequence[bool]) -> Head | None:
    """Return the head of an event, or None if too little of it was seen."""
    if min(sum(came), len(came) - sum(came)) < OUTCOMES_MIN:
        return None
    features = [one.features for one in examples]
    return fit_head(features, np.array(came, np.float64), learnt_share=_CALIBRATED_FROM)


def _reach(examples: Sequence[Example]) -> tuple[float, ...]:
    """Return how likely viewers come to each place, as far as views tell.

    Nothing is reported of who does not look, so that only how reach falls is learnt: at the
    first places of ads, it is what is usual.
    """
    places = np.array([one.place for one in examples], np.int64)
    viewed = np.array([one.viewed for one in examples], np.float64)
    first = places <= np.quantile(places, _FIRST_SHARE)
    usual = _USUAL_REACH ** np.minimum(places[first], PLACES - 1)
    return fit_reach(places, viewed * float(usual.sum() / max(viewed[first].sum(), 1.0)))


def _before_arrival(head: Head, reach: Sequence[float], examples: Sequence[Example]) -> Head:
    """Return a head of views as that of who comes to the place; with the reach, all add up."""
    later = examples[int(_CALIBRATED_FROM * len(examples)) :]
    expected = _came(reach, later) * _of(head, [one.features for one in later])
    scale = sum(one.viewed for one in later) / float(expected.sum())
    table = np.clip(scale * np.array(head.table), calibration.P_MIN, calibration.P_MAX)
    return Head(head.intercept, head.effects, tuple(table.tolist()))


def _came(reach: Sequence[float], examples: Sequence[Example]) -> Floats:
    return np.array([reach[min(one.place, PLACES - 1)] for one in examples], np.float64)


def _of(head: Head, features: Sequence[tuple[str, ...]]) -> Floats:
    logits = np.array([head.intercept + head.sum_of(each) for each in features])
    found: Floats = np.interp(logits, calibration.knots(), head.table)
    return found
