"""Comparisons of arms: what differs is told with how sure that is, and harm is named."""

import numpy as np
import pytest

from ranking.comparison import METRICS, MISMATCH, Measure, Sums, dealt_by_chance, measures


def sums(values: object) -> Sums:
    each = np.asarray(values, np.float64)
    return Sums(len(each), float(each.sum()), float((each**2).sum()))


def compared(metric: str, first: object, second: object) -> Measure:
    arms = [dict.fromkeys(METRICS, sums(values)) for values in (first, second)]
    return measures(arms)[1][metric]


def test_the_first_arm_is_compared_with_nothing() -> None:
    arms = [dict.fromkeys(METRICS, sums([1, 2, 3]))]

    assert measures(arms)[0]["creations"] == Measure(6, 2, None, None, None, is_worse=False)


def test_the_interval_is_that_of_welch() -> None:
    chance = np.random.default_rng(3)
    first, second = chance.poisson(2.0, 500), chance.poisson(2.5, 400)

    measure = compared("creations", first, second)

    error = np.sqrt(first.var(ddof=1) / 500 + second.var(ddof=1) / 400)
    difference = second.mean() - first.mean()
    assert measure.difference == pytest.approx(difference, abs=1e-6)
    assert measure.low == pytest.approx(difference - 1.959964 * error, abs=1e-6)
    assert measure.high == pytest.approx(difference + 1.959964 * error, abs=1e-6)
    assert not measure.is_worse


@pytest.mark.parametrize(("metric", "worse"), [("creations", "fewer"), ("reports", "more")])
def test_harm_is_fewer_creations_or_more_reports(metric: str, worse: str) -> None:
    few, many = [0, 1] * 200, [3, 4] * 200

    harmed = compared(metric, *((many, few) if worse == "fewer" else (few, many)))
    helped = compared(metric, *((few, many) if worse == "fewer" else (many, few)))

    assert (harmed.is_worse, helped.is_worse) == (True, False)


def test_of_one_account_nothing_is_said_for_sure() -> None:
    measure = compared("likes", [1, 2, 3], [9])

    assert (measure.difference, measure.low, measure.is_worse) == (7, None, False)


def test_an_arm_without_accounts_is_not_compared() -> None:
    assert compared("likes", [1, 2], []).difference is None


def test_two_arms_that_do_not_differ_seldom_seem_to() -> None:
    chance = np.random.default_rng(11)

    found = [
        compared("likes", chance.poisson(1.0, 300), chance.poisson(1.0, 300)) for _ in range(400)
    ]

    outside = sum(1 for each in found if (each.low or 0) > 0 or (each.high or 0) < 0)
    assert 6 <= outside <= 36  # one in twenty, give or take


def test_help_is_more_creations_or_fewer_skips() -> None:
    few, many = [0, 1] * 200, [3, 4] * 200

    assert compared("created_24h", few, many).is_better
    assert compared("skips", many, few).is_better
    assert not compared("skips", many, few).is_worse


@pytest.mark.parametrize(
    ("accounts", "shares"),
    [([500, 560], [1, 1]), ([90, 110, 130], [1, 1, 1]), ([10, 25, 30, 44], [1, 2, 3, 4])],
)
def test_how_probable_a_dealing_is_is_told_by_a_chi_square(
    accounts: list[int], shares: list[int]
) -> None:
    chisquare = pytest.importorskip("scipy.stats").chisquare
    expected = [sum(accounts) * share / sum(shares) for share in shares]

    told = dealt_by_chance(accounts, shares)

    assert told == pytest.approx(chisquare(accounts, expected).pvalue)


def test_arms_that_lost_accounts_do_not_match_their_shares() -> None:
    assert (dealt_by_chance([5000, 4600], [1, 1]) or 1) < MISMATCH
    assert (dealt_by_chance([5000, 4960], [1, 1]) or 0) > MISMATCH
    assert dealt_by_chance([0, 0], [1, 1]) is None
