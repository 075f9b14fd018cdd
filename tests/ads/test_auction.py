"""The auction finds what a search through every page finds, at prices that no other bid betters."""

import math

import msgspec
import pytest

from ads.index import Index
from myriorama.bench.ad_markets import Search, decided, drawn, gains

MARKETS = 1000


def test_no_page_is_worth_more_than_the_one_decided_and_no_price_is_another() -> None:
    searched, sold = 0, 0
    for seed in range(MARKETS):
        market = drawn(seed)
        index = Index.of(market.lines, {}, version=1)
        search = Search(market, index)
        bids = {each.line_id: each.bid_micros for each in market.lines}

        insertion = decided(market, index)

        assert insertion.reason in {"sold", "no_demand", "unsafe", "short_page"}
        chosen = [(p.position - n, p.line) for n, p in enumerate(insertion.placements)]
        best, expected = search.best(bids)
        assert search.value(chosen, bids) == pytest.approx(best, abs=1e-6), seed
        assert chosen == list(expected), seed
        for place, placement in enumerate(insertion.placements):
            price = max(search.price(bids, place), placement.reserve_micros)
            assert placement.price_micros == pytest.approx(math.floor(price + 1e-6), abs=1.0), seed
            assert placement.price_micros <= price + 1e-6, seed
            assert placement.reserve_micros <= placement.price_micros <= placement.line.bid_micros
        searched += insertion.searched
        sold += len(insertion.placements)
    # The markets are such that both ways are gone often.
    assert searched > MARKETS / 10
    assert sold > MARKETS / 2


@pytest.mark.parametrize("seed", range(60))
def test_no_advertiser_gains_by_another_bid_than_what_it_is_worth_to_them(seed: int) -> None:
    market = drawn(seed, lines_max=12, length_max=20)
    index = Index.of(market.lines, {}, version=1)
    search = Search(market, index)
    worth = {each.line_id: each.bid_micros for each in market.lines}
    honest = gains(market, index, search, worth)

    for line in market.lines:
        for factor in (0.3, 0.6, 0.9, 0.97, 1.03, 1.1, 1.5, 3.0):
            bid = max(1, int(line.bid_micros * factor))
            bids = [
                msgspec.structs.replace(each, bid_micros=bid) if each is line else each
                for each in market.lines
            ]
            other = Index.of(bids, {}, version=2)

            tried = gains(market, other, search, worth)

            # Prices are rounded down: what that leaves, an ad, is less than a micro of its event.
            owner = line.advertiser_id
            assert tried.get(owner, 0.0) <= honest.get(owner, 0.0) + 1.0
