"""The bound on welfare: no way to spend the budgets gains more, whatever multipliers certify it."""

from itertools import product

import numpy as np
import pytest

from ads.welfare import Market, bound, certified


def market(seed: int, auctions: int, lines: int, budget: float) -> Market:
    """Return values and prices of about 1."""
    chance = np.random.default_rng(seed)
    values = chance.lognormal(0, 0.6, (auctions, lines)) * (chance.random((auctions, lines)) < 0.8)
    return Market(
        values.astype(np.float32),
        chance.lognormal(-0.5, 0.5, auctions),
        np.full(lines, budget),
    )


def best_of_all(day: Market) -> float:
    """Try every way to sell every auction to a line, or not at all."""
    auctions, lines = day.values.shape
    best = 0.0
    for winners in product(range(-1, lines), repeat=auctions):
        spent, gained = np.zeros(lines), 0.0
        for auction, winner in enumerate(winners):
            if winner >= 0:
                spent[winner] += day.values[auction, winner]
                gained += float(day.values[auction, winner]) - float(day.prices[auction])
        if (spent <= day.budgets).all():
            best = max(best, gained)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_hindsight_never_gains_more_than_the_bound(seed: int) -> None:
    day = market(seed, auctions=7, lines=2, budget=2.0)

    best = best_of_all(day)

    assert bound(day).welfare >= best - 1e-6
    for multiplier in (0.0, 0.3, 1.0):
        assert certified(day, np.full(2, multiplier))[0] >= best - 1e-6


def test_the_multipliers_certify_the_bound_to_whoever_recomputes_it() -> None:
    day = market(3, auctions=2000, lines=5, budget=60.0)

    found = bound(day)

    assert certified(day, found.multipliers)[0] == found.welfare


def test_the_bound_is_nearly_reached_by_bids_shaded_by_its_multipliers() -> None:
    day = market(4, auctions=20_000, lines=5, budget=600.0)

    found = bound(day)
    shaded = day.values * found.multipliers
    winner = shaded.argmax(axis=1)
    rows = np.arange(len(day.prices))
    won = shaded[rows, winner] > day.prices
    gained = (day.values[rows, winner] - day.prices)[won].sum()
    spent = np.bincount(winner[won], weights=day.values[rows, winner][won], minlength=5)

    assert spent == pytest.approx(day.budgets, rel=0.02)
    assert gained == pytest.approx(found.welfare, rel=0.01)


def test_budgets_that_suffice_for_everything_shade_nothing() -> None:
    day = market(5, auctions=500, lines=3, budget=1e6)

    assert bound(day).multipliers == pytest.approx(np.ones(3))
