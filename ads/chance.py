"""The chance in a decision, all of it from the decision's seed (SplitMix64)."""

import numpy as np

from ads.compiled import borrowing


@borrowing
def mixed(number: np.uint64) -> np.uint64:
    """Return 64 bits that look like any others, one to one."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@borrowing
def hashed(seed: np.uint64, number: int) -> np.uint64:
    """Return a number's hash, another one for each seed."""
    return mixed(mixed(seed) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15))


@borrowing
def uniform(seed: np.uint64, number: int) -> float:
    """Return a number of the seed's stream, above 0 and below 1."""
    return (float(hashed(seed, number) >> np.uint64(11)) + 0.5) * 2.0**-53
