"""Bench `calibration`: whether as many clicks come as the chances add up to, on later days.

The log is made up: clicks follow creatives, tiredness, platforms and, beside what the model knows
of, how two of these go together, so that its log-odds alone are wrong. Effects and calibration
learn of the earlier days; the figures are of the last ones. `ratio` is what was expected over what
came; `error` is the mean distance over twenty equal parts from the least to the most likely.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads.calibration import applied
from ads.fitting import fit_head
from ads.probability import Head
from myriorama.bench.outcome import Outcome, Progress

EXAMPLES = 600_000

_LEARNT_SHARE = 0.6
_CREATIVES = 400
_PLATFORMS = ("ios", "android", "web")
_SHOWN = 6
_PARTS = 20

Floats = NDArray[np.float64]


class Log(NamedTuple):
    """What was shown, in the order of its time, and whether it was clicked."""

    features: Sequence[tuple[str, ...]]
    clicked: Floats


def measure(progress: Progress) -> Outcome:
    """Fit a head to a log's earlier part, and count on its last one."""
    log = made_up(EXAMPLES, np.random.default_rng(6))
    learnt = int(_LEARNT_SHARE * EXAMPLES)
    head = fit_head(log.features[:learnt], log.clicked[:learnt])
    progress(f"{len(head.effects)} effects of {learnt:,} examples")
    rest, clicked = log.features[learnt:], log.clicked[learnt:]
    logits = np.array([head.intercept + head.sum_of(each) for each in rest])
    expected = chances(head, rest)
    base = np.full_like(clicked, log.clicked[:learnt].mean())
    raw = 1.0 / (1.0 + np.exp(-logits))
    return Outcome(
        "calibration",
        figures={
            "ratio_uncalibrated": float(raw.sum() / clicked.sum()),
            "error": _error(expected, clicked),
            "error_uncalibrated": _error(raw, clicked),
            "normalised_entropy": _entropy(expected, clicked) / _entropy(base, clicked),
            "normalised_entropy_uncalibrated": _entropy(raw, clicked) / _entropy(base, clicked),
            "clicks": float(clicked.sum()),
        },
        ratios={"ratio": float(expected.sum() / clicked.sum())},
    )


def chances(head: Head, features: Sequence[tuple[str, ...]]) -> Floats:
    """Return how likely a head finds each example."""
    table = np.array(head.table)
    return np.array([applied(table, head.intercept + head.sum_of(each)) for each in features])


def made_up(count: int, chance: np.random.Generator) -> Log:
    """Return a log in which what the model adds up goes together otherwise."""
    taste = chance.normal(0.0, 0.9, _CREATIVES)
    creative = chance.zipf(1.3, count) % _CREATIVES
    platform = chance.integers(len(_PLATFORMS), size=count)
    shown = np.minimum(chance.geometric(0.5, count) - 1, _SHOWN - 1)
    together = np.where((platform == 0) & (taste[creative] > 0), 1.2, -0.2)
    tired = -0.5 * np.sqrt(shown)
    logit = -2.0 + taste[creative] + np.array([0.3, 0.0, -0.4])[platform] + together + tired
    clicked = chance.random(count) < 0.6 / (1.0 + np.exp(-1.4 * logit)) + 0.001
    columns = zip(creative.tolist(), platform.tolist(), shown.tolist(), strict=True)
    features = [(f"creative={c}", f"platform={_PLATFORMS[p]}", f"shown={s}") for c, p, s in columns]
    return Log(features, clicked.astype(np.float64))


def _error(expected: Floats, came: Floats) -> float:
    """Return the mean distance of what was expected from what came, in parts by likelihood."""
    parts = np.array_split(np.argsort(expected, kind="stable"), _PARTS)
    return float(np.mean([abs(expected[part].mean() - came[part].mean()) for part in parts]))


def _entropy(expected: Floats, came: Floats) -> float:
    clipped = np.clip(expected, 1e-9, 1 - 1e-9)
    return float(-np.mean(came * np.log(clipped) + (1 - came) * np.log(1 - clipped)))
