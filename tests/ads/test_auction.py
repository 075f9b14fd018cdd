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


def test_every_price_is_the_sum_of_what_is_on_record_of_it() -> None:
    alone = 0
    for seed in range(MARKETS):
        market = drawn(seed)
        index = Index.of(market.lines, {}, version=1)
        search = Search(market, index)
        bids = {each.line_id: each.bid_micros for each in market.lines}

        placements = decided(market, index).placements

        for place, each in enumerate(placements):
            charged = each.p_reached * each.p_billed
            price = each.reserve_micros + (each.displaced_micros + each.viewer_micros) / charged
            most = each.line.bid_micros
            assert each.price_micros == min(max(math.floor(price), each.reserve_micros), most)
            assert price == pytest.approx(search.price(bids, place), rel=1e-9), seed
            # What the page is worth to its viewer, with all ads of it and without this one.
            others = [(p.position - n, p.line) for n, p in enumerate(placements) if p is not each]
            without, _ = search.best(bids, away=each.line.advertiser_id)
            if not others:
                worth = search.value((), bids)
                assert each.displaced_micros == pytest.approx(without - worth, abs=1e-6), seed
                alone += 1
            assert each.viewer_micros >= 0
    assert alone > MARKETS / 10


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
