"""Comparisons: how far the arms of an experiment differ in what their accounts did.

The unit is the account, which is what was dealt out; each arm is compared with the first.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

Wish = Literal["more", "less"]

# What is compared, and whether more of it is what one wishes for. The first is the objective: who
# published within a day of being exposed first. "returned": who was back a day later or more.
METRICS: Mapping[str, Wish] = {
    "created_24h": "more",
    "creations": "more",
    "remixes": "more",
    "likes": "more",
    "comments": "more",
    "shares": "more",
    "views": "more",
    "watched_s": "more",
    "returned": "more",
    "skips": "less",
    "less": "less",
    "reports": "less",
}

MISMATCH = 0.001
"""Below this probability, accounts were not dealt out to the arms as they should have been."""

_Z = 1.959964  # of a normal distribution: 95 % lie within


class Sums(NamedTuple):
    """What the accounts of an arm did of one thing: the sum, and the sum of squares."""

    accounts: int
    total: float
    squares: float


class Measure(msgspec.Struct, frozen=True):
    """A metric of an arm: by account, and how far that is from the first arm's.

    `low` and `high` are the 95 % interval of the difference (Welch, normal approximation), null
    where there are too few accounts to tell. `is_worse`: the whole interval is on the bad side;
    `is_better`: on the good one.
    """

    total: float
    per_account: float
    difference: float | None
    low: float | None
    high: float | None
    is_worse: bool
    is_better: bool = False


def measures(arms: Sequence[Mapping[str, Sums]]) -> list[dict[str, Measure]]:
    """Return the measures of each arm; the first is what all are compared with."""
    return [
        {
            metric: _measure(arm[metric], arms[0][metric], wish, is_first=place == 0)
            for metric, wish in METRICS.items()
        }
        for place, arm in enumerate(arms)
    ]


def dealt_by_chance(accounts: Sequence[int], shares: Sequence[int]) -> float | None:
    """Return how probable it is that as uneven numbers of accounts come of these shares.

    That of a chi-square test; below `MISMATCH` the arms are not to be compared: some of one's
    accounts are missing, and nobody knows which. None if there are no accounts yet.
    """
    total = sum(accounts)
    if not total:
        return None
    expected = [total * share / sum(shares) for share in shares]
    pairs = zip(accounts, expected, strict=True)
    half = sum((count - wish) ** 2 / wish for count, wish in pairs) / 2
    exponent = (len(shares) - 1) / 2 - 1
    above = 0.0
    while exponent >= 0:
        above += half**exponent / math.gamma(exponent + 1)
        exponent -= 1
    is_odd = len(shares) % 2 == 0  # the degrees of freedom are one less than the arms
    return above * math.exp(-half) + (math.erfc(math.sqrt(half)) if is_odd else 0.0)


def _measure(sums: Sums, first: Sums, wish: Wish, *, is_first: bool) -> Measure:
    mean, of_first = _mean(sums), _mean(first)
    if is_first or not (sums.accounts and first.accounts):
        return Measure(sums.total, round(mean, 6), None, None, None, is_worse=False)
    difference = mean - of_first
    if min(sums.accounts, first.accounts) < 2:  # noqa: PLR2004 - one account has no variance
        return Measure(sums.total, round(mean, 6), round(difference, 6), None, None, is_worse=False)
    error = math.sqrt(_variance(sums) / sums.accounts + _variance(first) / first.accounts)
    low, high = difference - _Z * error, difference + _Z * error
    is_less, is_more = high < 0, low > 0
    is_worse, is_better = (is_less, is_more) if wish == "more" else (is_more, is_less)
    mean, difference, low, high = (round(number, 6) for number in (mean, difference, low, high))
    return Measure(sums.total, mean, difference, low, high, is_worse=is_worse, is_better=is_better)


def _mean(sums: Sums) -> float:
    return sums.total / sums.accounts if sums.accounts else 0.0


def _variance(sums: Sums) -> float:
    spread = sums.squares - sums.total * sums.total / sums.accounts
    return max(spread, 0.0) / (sums.accounts - 1)
