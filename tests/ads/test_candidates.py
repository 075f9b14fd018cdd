"""The few candidates that are compared are enough, however many lines there are."""

from random import Random
from uuid import UUID

import msgspec
import numpy as np
import pytest

from ads.calibration import applied
from ads.index import Index
from ads.lines import KINDS, Line, Suitability
from ads.probability import EVENTS, Head, Probabilities
from ads.rules import Rules
from ads.viewer import Viewer
from myriorama.bench.ad_markets import PATIENCE_US, Market, Search, decided, drawn, line, page

MANY = 60
PAGE = tuple(page(4))


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


@pytest.mark.parametrize("seed", range(20))
def test_whoever_looks_the_line_that_brings_most_is_found(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - a market, not a secret
    lines = [
        line(number, kind=chance.choice(KINDS), bid_micros=chance.randint(600, 900_000))
        for number in range(300)
    ]
    shown = [f"creative={each.creatives[0].creative_id}" for each in lines]
    prior = Probabilities.prior()
    view, complete, click = (
        msgspec.structs.replace(
            prior.head(event),
            effects={each: chance.gauss(0, 2) for each in shown} | {"platform=tv": 3 - 3 * at},
        )
        for at, event in enumerate(EVENTS)
    )
    learnt = msgspec.structs.replace(prior, view=view, complete=complete, click=click)
    market = msgspec.structs.replace(drawn(5), viewer=Viewer(1, platform="tv"), page=PAGE)

    def worth(each: Line) -> float:
        def rate(head: Head) -> float:
            feature = f"creative={each.creatives[0].creative_id}"
            logit = head.intercept + head.effects[feature] + head.effects["platform=tv"]
            return float(applied(np.array(head.table), logit))

        chances = {"cpm": 1.0, "cpv": rate(complete), "cpc": rate(click)}
        reserves = {
            "cpm": market.rules.reserve_cpm_micros,
            "cpv": market.rules.reserve_cpv_micros,
            "cpc": market.rules.reserve_cpc_micros,
        }
        return (each.bid_micros - reserves[each.kind]) * rate(view) * chances[each.kind]

    index = Index.of(lines, {}, version=1, probabilities=learnt)
    (placement,) = decided(market, index).placements

    assert placement.line == max(lines, key=worth)


def test_a_page_that_needs_more_than_can_be_compared_has_fewer_ads_and_says_so() -> None:
    authors = [UUID(int=100 + place) for place in range(60)]
    # Every line can stand in one gap alone, so that none stands for any other.
    lines = [
        line(
            number,
            category=f"{number % 3}",
            advertiser_id=UUID(int=1 + number % 5),
            suitability=Suitability(
                blocked_authors=frozenset(authors) - set(authors[number % 59 :][:2])
            ),
            bid_micros=5000 + number,
        )
        for number in range(400)
    ]
    market = msgspec.structs.replace(
        drawn(5),
        page=tuple(page(60)),
        rules=Rules(gap=1, explore=0.0, deadline_us=PATIENCE_US),
        viewer=Viewer(1),
    )

    insertion = decided(market, Index.of(lines, {}, version=1))

    assert not insertion.exact
    assert 0 < len(insertion.placements) < market.rules.ads_page_max
