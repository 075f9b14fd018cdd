"""The fit of a head to what happened: effects by ridge regression, then their calibration.

Effects learn of the earlier examples, the calibration of later ones that they have not seen: what
was learnt by heart would be believed too much.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ads import calibration
from ads.compiled import compiled
from ads.probability import PLACES, Head

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

_NEWTON_TURNS = 25
_SOLVE_TURNS = 60
_NEAR = 1e-6
_RIDGE = 2.0


def fit_head(
    features: Sequence[tuple[str, ...]], outcomes: Floats, *, learnt_share: float = 0.6
) -> Head:
    """Fit a head to examples in the order of their time, of as many features each.

    Raises:
        ValueError: there are too few examples to learn of some and calibrate by the others.
    """
    learnt = int(learnt_share * len(features))
    if not 0 < learnt < len(features) or len(features) != len(outcomes):
        raise ValueError("a fit needs examples to learn of, and others to calibrate by")
    names = {name: place for place, name in enumerate(dict.fromkeys(_all(features[:learnt])))}
    # What was never seen before has no effect: the last place, whose effect is held at 0.
    rows = np.array([[names.get(f, len(names)) for f in each] for each in features], np.int64)
    effects, intercept = _ridge(rows[:learnt], outcomes[:learnt], len(names))
    logits = intercept + effects[rows[learnt:]].sum(axis=1)
    table = calibration.fit(logits, outcomes[learnt:])
    known = {name: float(effects[place]) for name, place in names.items()}
    return Head(intercept, known, tuple(table.tolist()))


def fit_reach(places: Numbers, came: Floats) -> tuple[float, ...]:
    """Fit how likely viewers come to each place, (n) places and (n) whether they came."""
    served = np.bincount(places, minlength=PLACES)[:PLACES].astype(np.float64)
    hits = np.bincount(places, weights=came, minlength=PLACES)[:PLACES]
    usual = 0.97 ** np.arange(PLACES)
    rates = (hits + 20.0 * usual) / (served + 20.0)
    falling = -calibration.pooled(-rates, served + 20.0)
    return tuple(np.clip(falling, calibration.P_MIN, 1.0).tolist())


def _all(features: Sequence[tuple[str, ...]]) -> list[str]:
    return [name for each in features for name in each]


def _ridge(rows: Numbers, outcomes: Floats, width: int) -> tuple[Floats, float]:
    """Return the effects, (width + 1) with 0 at the last, and the intercept.

    Newton's method; each step is solved by conjugate gradients, so that no matrix is made.
    """
    rate = float(np.clip(outcomes.mean(), 1e-4, 1 - 1e-4))
    weights = np.zeros(width + 2)
    weights[-1] = np.log(rate / (1 - rate))
    for _ in range(_NEWTON_TURNS):
        logits = weights[-1] + weights[rows].sum(axis=1)
        chances = 1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40)))
        slope = _gathered(rows, chances - outcomes, width)
        slope[:-1] += _RIDGE * weights[:-1]
        step = _solved(rows, chances * (1 - chances), slope, width)
        step *= min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        weights -= step
        weights[width] = 0.0
        if np.abs(step).max() < _NEAR:
            break
    return weights[: width + 1], float(weights[-1])


def _solved(rows: Numbers, curve: Floats, aim: Floats, width: int) -> Floats:
    found = np.zeros_like(aim)
    rest = aim.copy()
    way = rest.copy()
    size = float(rest @ rest)
    for _ in range(_SOLVE_TURNS):
        if size < _NEAR**2:
            break
        along = way[-1] + way[rows].sum(axis=1)
        bent = _gathered(rows, curve * along, width)
        bent[:-1] += _RIDGE * way[:-1]
        share = size / max(float(way @ bent), 1e-300)
        found += share * way
        rest -= share * bent
        size, before = float(rest @ rest), size
        way = rest + size / before * way
    return found


@compiled
def _gathered(rows: Numbers, values: Floats, width: int) -> Floats:
    """Return the sum of the values by effect, then the held place's, then the intercept's."""
    out = np.zeros(width + 2)
    for row in range(rows.shape[0]):
        for place in range(rows.shape[1]):
            out[rows[row, place]] += values[row]
        out[width + 1] += values[row]
    out[width] = 0.0
    return out
