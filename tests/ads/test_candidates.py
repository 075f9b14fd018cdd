"""The few candidates that are compared are enough, however many lines there are."""

from random import Random
from uuid import UUID

import msgspec
import pytest

from ads.index import Index
from myriorama.bench.ad_markets import Market, Search, decided, drawn, line

MANY = 60


def _crowded(seed: int) -> Market:
    """Return a market of many lines on a short page of two ads, whose vetoes differ by line."""
    chance = Random(seed)  # noqa: S311 - a market, not a secret
    small = drawn(seed, length_max=7)
    lines = [
        msgspec.structs.replace(
            chance.choice(small.lines),
            line_id=UUID(int=number),
            advertiser_id=UUID(int=2000 + chance.randrange(chance.choice((2, 12)))),
            category=chance.choice(("", "a", "b", "c")),
            bid_micros=chance.randint(600, 400_000),
        )
        for number in range(MANY)
    ]
    rules = msgspec.structs.replace(small.rules, ads_page_max=min(2, small.rules.ads_page_max))
    return msgspec.structs.replace(small, lines=tuple(lines), rules=rules)


@pytest.mark.parametrize("seed", [*range(10), 25, 27])
def test_among_many_lines_the_best_page_and_its_prices_are_found(seed: int) -> None:
    market = _crowded(seed)
    index = Index.of(market.lines, {}, version=1)
    search = Search(market, index)
    bids = {each.line_id: each.bid_micros for each in market.lines}

    insertion = decided(market, index)

    chosen = [(each.position - ads, each.line) for ads, each in enumerate(insertion.placements)]
    best, _ = search.best(bids)
    assert insertion.exact
    assert search.value(chosen, bids) == pytest.approx(best, abs=1e-6)
    for place, each in enumerate(insertion.placements):
        price = max(search.price(bids, place), each.reserve_micros)
        assert price - 1 - 1e-6 <= each.price_micros <= price + 1e-6


def test_a_thousand_lines_of_one_advertiser_stand_for_one() -> None:
    same = [line(number, advertiser_id=UUID(int=1)) for number in range(1000)]
    other = line(5000, bid_micros=600)
    market = msgspec.structs.replace(drawn(5), lines=(*same, other))

    insertion = decided(market, Index.of(market.lines, {}, version=1))

    assert insertion.exact
    owners = [each.line.advertiser_id for each in insertion.placements]
    assert len(set(owners)) == len(owners)
