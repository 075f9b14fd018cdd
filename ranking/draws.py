"""Draws: all the chance that there is in a ranking, from the seed of its query.

Of our own making, since libraries change theirs between versions, and a slate must be drawn again
as it was drawn.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

_TURNS_MAX = 64


@compiled
def mixed(number: np.uint64) -> np.uint64:
    """Return 64 bits that look like any others, one to one (the finish of SplitMix64)."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@compiled
def hashed(seed: np.uint64, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a hash of each number, another one for each seed: an order that favours nobody."""
    out = np.empty(len(numbers), np.uint64)
    for place in range(len(numbers)):
        out[place] = mixed(mixed(seed) ^ numbers[place])
    return out


@compiled
def uniform(seed: np.uint64, stream: int, place: int) -> float:
    """Return the number at a place of one of a seed's streams, above 0 and below 1."""
    start = mixed(seed + np.uint64(stream) * np.uint64(0xD1342543DE82EF95))
    bits = mixed(start + np.uint64(place + 1) * np.uint64(0x9E3779B97F4A7C15))
    return (float(bits >> np.uint64(11)) + 0.5) * 2.0**-53


@compiled
def gamma(shape: float, seed: np.uint64, stream: int, place: int) -> float:
    """Return a draw of the gamma distribution of a shape and scale 1 (Marsaglia and Tsang)."""
    base = place * (3 * _TURNS_MAX + 1)
    raised = shape if shape >= 1.0 else shape + 1.0
    d = raised - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    value = d
    for turn in range(_TURNS_MAX):
        u1 = uniform(seed, stream, base + 3 * turn)
        u2 = uniform(seed, stream, base + 3 * turn + 1)
        normal = math.sqrt(-2.0 * math.log(u1)) * math.cos(2.0 * math.pi * u2)
        v = (1.0 + c * normal) ** 3
        if v > 0.0:
            u = uniform(seed, stream, base + 3 * turn + 2)
            if math.log(u) < 0.5 * normal * normal + d - d * v + d * math.log(v):
                value = d * v
                break
    if shape < 1.0:
        value *= uniform(seed, stream, base + 3 * _TURNS_MAX) ** (1.0 / shape)
    return value


@compiled
def betas(
    alphas: NDArray[np.float64],
    others: NDArray[np.float64],
    times: int,
    seed: np.uint64,
    stream: int,
) -> NDArray[np.float64]:
    """Return draws of the beta distributions of (alphas, others), (times, distributions)."""
    count = len(alphas)
    drawn = np.empty((times, count))
    for turn in range(times):
        for each in range(count):
            place = 2 * (turn * count + each)
            high = gamma(alphas[each], seed, stream, place)
            low = gamma(others[each], seed, stream, place + 1)
            drawn[turn, each] = high / (high + low) if high + low > 0.0 else 0.0
    return drawn
