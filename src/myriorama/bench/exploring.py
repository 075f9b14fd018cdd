"""Exploration against what is logged of it: how often what is drawn, over how likely it was said.

What draws is what draws in the feed; only the videos are made up. Each of 50,000 requests differs
from the others by its seed alone. A chi-square compares counts with expected counts; it is told as
standard deviations of a normal variable (Wilson and Hilferty), so beyond 3 something is wrong.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from myriorama.bench.outcome import Outcome, Progress
from ranking.draws import betas
from ranking.policy import DEFAULT
from ranking.selection.assembly import Assembled, Chance, Field, Rules, assemble

REQUESTS = 50_000
_EXPECTED_MIN = 5
_PLACES = 3
_VIDEOS = 5
_ARMS = 20


def measure(progress: Progress) -> Outcome:
    """Compare drawn orders, explored places, and what both are worth when they are weighted."""
    progress(f"drawing {REQUESTS:,} orders of {_PLACES} out of {_VIDEOS}, under caps")
    orders = _told_and_found(_orders(promised=0.0))
    progress("the same where half of the places are owed to a promise")
    promised = _told_and_found(_orders(promised=0.5))
    progress(f"exploring one of {_ARMS} videos {REQUESTS:,} times")
    places = _told_and_found(_explored(is_fixed=True))
    progress("exploring with beliefs drawn anew for each request")
    weights, least = _weighed()
    error = weights.std(axis=0) / math.sqrt(REQUESTS)
    return Outcome(
        "exploration",
        {
            "requests": REQUESTS,
            "order_chi_square": _deviation(orders),
            "promised_chi_square": _deviation(promised),
            "slot_chi_square": _deviation(places),
            "weight_mean_min": float(weights.mean(axis=0).min()),
            "weight_mean_max": float(weights.mean(axis=0).max()),
            "weight_deviation_max": float(np.max(np.abs(weights.mean(axis=0) - 1) / error)),
            "weight_max": float(weights.max()),
            "propensity_min": least,
        },
        {},
    )


Found = Mapping[tuple[int, ...], tuple[int, float]]


def _orders(*, promised: float) -> Iterable[tuple[tuple[int, ...], float]]:
    """Yield the order of each request, and how likely it was said to be.

    The share `promised` of the places is owed to three of the videos, which are worth least.
    """
    likes = DEFAULT.diversity
    field = Field(
        likeness=0.5 * np.eye(_VIDEOS) + 0.5,
        worth=np.linspace(1, -1, _VIDEOS),
        kinds=np.array([[0, 0, 1, 2, 3]]),
        weights=np.zeros(0),
        before=np.zeros((1, _VIDEOS)),
    )
    rules = _rules(_PLACES, caps=1)._replace(
        window=2,
        theta=likes.theta,
        promised=np.arange(_VIDEOS)[None, :] >= 2,  # noqa: PLR2004 - the last three of five
        owed=np.array([promised]),
        freed=np.array([-1]),
    )
    nothing = np.zeros(_PLACES, np.bool_)
    for seed in range(REQUESTS):
        chance = Chance(
            np.uint64(seed), 0.5, np.zeros(0, np.int64), np.zeros((1, 0)), nothing, 0.01
        )
        made = assemble(field, rules, chance)
        yield tuple(made.order.tolist()), float(np.exp(made.log_propensity.sum()))


def _explored(*, is_fixed: bool) -> Iterable[tuple[tuple[int, ...], float]]:
    """Yield what each request explores, and how likely that was said to be."""
    policy = DEFAULT.exploration
    alphas, others = np.linspace(0.75, 6, _ARMS), np.full(_ARMS, policy.beta)
    field = Field(
        likeness=np.eye(_ARMS + 1),
        worth=np.array([1.0, *[-np.inf] * _ARMS]),
        kinds=np.arange(_ARMS + 1)[None, :],
        weights=np.zeros(0),
        before=np.zeros((1, _ARMS + 1)),
    )
    rules, slots = _rules(1, caps=2), np.ones(1, np.bool_)
    for seed in range(REQUESTS):
        thetas = betas(alphas, others, 32, np.uint64(7 if is_fixed else seed), 3)
        arms = np.arange(1, _ARMS + 1)
        chance = Chance(np.uint64(seed), 0.0, arms, thetas, slots, policy.floor)
        made: Assembled = assemble(field, rules, chance)
        yield tuple(made.order.tolist()), float(np.exp(made.log_propensity[0]))


def _weighed() -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], float]:
    """Return one over how likely it was at what each request explored, else 0: 1 on average."""
    weights = np.zeros((REQUESTS, _ARMS))
    for request, ((explored,), likely) in enumerate(_explored(is_fixed=False)):
        weights[request, explored - 1] = 1 / likely
    return weights, float(1 / weights.max())


def _rules(size: int, *, caps: int) -> Rules:
    decay = DEFAULT.author_decay
    none = np.zeros((0, 0), np.bool_)
    factors, floors = np.array([decay.factor]), np.array([decay.floor])
    return Rules(
        size=size,
        window=10,
        caps=np.array([caps]),
        limited=none,
        shares=np.zeros(0),
        theta=0.65,
        decays=factors,
        floors=floors,
        promised=none,
        owed=np.zeros(0),
        freed=np.zeros(0, np.int64),
    )


def _told_and_found(requests: Iterable[tuple[tuple[int, ...], float]]) -> Found:
    found, told = Counter[tuple[int, ...]](), dict[tuple[int, ...], float]()
    for drawn, likely in requests:
        found[drawn] += 1
        told[drawn] = likely
    return {drawn: (found[drawn], likely) for drawn, likely in told.items()}


def _deviation(found: Found) -> float:
    """Return how far apart the counts and the expected counts are, in standard deviations."""
    often = [(count, p * REQUESTS) for count, p in found.values() if p * REQUESTS >= _EXPECTED_MIN]
    statistic = sum((count - expected) ** 2 / expected for count, expected in often)
    degrees = len(often) - 1
    spread = 2 / (9 * degrees)
    return float(((statistic / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))
