"""Outside bids: in a decision they are the bids of their lines, and nothing else is different."""

from random import Random
from uuid import UUID

import msgspec
import pytest

from ads.index import Index
from ads.insertion import decide
from ads.lines import Line
from ads.record import Context
from ads.rules import Rules
from ads.viewer import OutsideBid, Viewer
from myriorama.bench.ad_markets import (
    NOW_MS,
    PATIENCE_US,
    Market,
    Purse,
    Search,
    creative,
    decided,
    drawn,
    line,
    page,
)

RULES = Rules(deadline_us=PATIENCE_US, explore=0.0)
BIDDER = "https://bidder.example.com/openrtb2"
ALICE = Viewer(1, age_band="18+")


def _bids(viewer: Viewer, bids: dict[Line, int]) -> Viewer:
    found = {each.line_id: OutsideBid(each.creatives[0].creative_id, bids[each]) for each in bids}
    return msgspec.structs.replace(viewer, outside_bids=found)


def _outside(seed: int) -> tuple[Market, Market]:
    """Return a market with bidders outside, and one in which their lines bid that themselves."""
    chance = Random(seed)  # noqa: S311 - a market, not a secret
    market = drawn(seed)
    lines, plain, bids = list[Line](), list[Line](), dict[Line, int]()
    for each in market.lines:
        if each.kind != "cpm" or chance.random() < 0.3:
            lines.append(each)
            plain.append(each)
            continue
        asked = msgspec.structs.replace(each, bidder=BIDDER, creatives=each.creatives[:1])
        lines.append(asked)
        if chance.random() < 0.8:
            bids[asked] = chance.randint(1, asked.bid_micros)
            plain.append(msgspec.structs.replace(asked, bidder="", bid_micros=bids[asked]))
    viewer = _bids(market.viewer, bids)
    outside = msgspec.structs.replace(market, lines=tuple(lines), viewer=viewer)
    return outside, msgspec.structs.replace(market, lines=tuple(plain))


@pytest.mark.parametrize("seed", range(40))
def test_outside_bids_make_the_best_page_at_the_prices_of_all(seed: int) -> None:
    outside, plain = _outside(seed)
    search = Search(plain, Index.of(plain.lines, {}, version=1))
    bids = {each.line_id: each.bid_micros for each in plain.lines}
    lines = {each.line_id: each for each in plain.lines}

    insertion = decided(outside, Index.of(outside.lines, {}, version=1))

    placed = insertion.placements
    chosen = [(each.position - ads, lines[each.line.line_id]) for ads, each in enumerate(placed)]
    best, _ = search.best(bids)
    assert insertion.exact
    assert search.value(chosen, bids) == pytest.approx(best, abs=1e-6)
    for place, each in enumerate(placed):
        price = max(search.price(bids, place), each.reserve_micros)
        assert price - 1 - 1e-6 <= each.price_micros <= price + 1e-6
        assert each.price_micros <= each.bid_micros == bids[each.line.line_id]


def test_a_line_with_a_bidder_is_shown_to_nobody_for_whom_nothing_is_bid() -> None:
    asked = line(1, bidder=BIDDER)
    index = Index.of([asked], {}, version=1)

    without = decide(index, ALICE, page(20), Purse(), RULES, NOW_MS, 1)
    bidden = decide(index, _bids(ALICE, {asked: 5000}), page(20), Purse(), RULES, NOW_MS, 1)

    assert without.reason == "no_demand"
    assert [each.line.line_id for each in bidden.placements] == [asked.line_id]
    assert index.eligible(ALICE, NOW_MS).tolist() == []
    assert index.eligible(_bids(ALICE, {asked: 5000}), NOW_MS).tolist() == [0]
    assert index.to_ask(ALICE, NOW_MS).tolist() == [0]


@pytest.mark.parametrize("micros", [0, -1, 499, 5001])
def test_what_is_bid_below_the_reserve_or_above_the_bid_of_the_line_is_no_bid(micros: int) -> None:
    asked = line(1, bidder=BIDDER)
    curious = msgspec.structs.replace(RULES, explore=1.0)
    index = Index.of([asked], {}, version=1)
    viewer = _bids(ALICE, {asked: micros})

    for rules in (RULES, curious):
        assert decide(index, viewer, page(20), Purse(), rules, NOW_MS, 1).placements == ()


def test_the_creative_that_is_bid_for_is_the_one_that_is_shown() -> None:
    asked = line(1, bidder=BIDDER, creatives=(creative(1), creative(2), creative(3)))
    index = Index.of([line(5), asked], {}, version=1)
    chosen = {asked.line_id: OutsideBid(asked.creatives[1].creative_id, 4000)}
    foreign = {asked.line_id: OutsideBid(creative(9).creative_id, 4000)}

    def shown(seed: int, bids: dict[UUID, OutsideBid]) -> set[UUID]:
        viewer = msgspec.structs.replace(ALICE, outside_bids=bids)
        placed = decide(index, viewer, page(20), Purse(), RULES, NOW_MS, seed).placements
        return {each.creative.creative_id for each in placed if each.line == asked}

    assert {frozenset(shown(seed, chosen)) for seed in range(20)} == {
        frozenset({asked.creatives[1].creative_id})
    }
    assert not any(shown(seed, foreign) for seed in range(20))


def test_an_outside_bid_is_paced_as_any_other() -> None:
    asked = line(1, bidder=BIDDER)
    index = Index.of([asked], {asked.line_id: 0.5}, version=1)

    rich = decide(index, _bids(ALICE, {asked: 4000}), page(20), Purse(), RULES, NOW_MS, 1)
    poor = decide(index, _bids(ALICE, {asked: 998}), page(20), Purse(), RULES, NOW_MS, 1)

    (placed,) = rich.placements
    assert placed.bid_micros == 4000
    assert RULES.reserve_cpm_micros <= placed.price_micros <= 2000
    assert poor.placements == ()


def test_a_page_that_is_recorded_is_decided_again_with_what_was_bid_for_it() -> None:
    asked = line(1, bidder=BIDDER)
    index = Index.of([asked, line(2)], {}, version=1)
    viewer = _bids(ALICE, {asked: 4321})
    slots = tuple(page(20))

    recorded = msgspec.json.encode(Context(viewer, slots))
    again = msgspec.json.decode(recorded, type=Context)

    first = decide(index, viewer, slots, Purse(), RULES, NOW_MS, 1)
    assert decide(index, again.viewer, again.page, Purse(), RULES, NOW_MS, 1) == first
    assert {each.bid_micros for each in first.placements} == {4321, 5000}
