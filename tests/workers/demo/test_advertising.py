"""The advertisers of the worlds that come with a house, and the eyes that their ads have."""

from typing import get_args

import numpy as np

from ads.beacons import Beacon
from domain.ad_categories import CATEGORIES, SENSITIVE
from domain.creative.content import CallToAction
from domain.line_item.terms import Kind, Pacing
from myriorama.workers.demo.audience import seen
from myriorama.workers.demo.businesses import MANY, NEIGHBOURS, REVIEWER, SECOND_REVIEWER, SMALL

QUARTILES = ["first_quartile", "midpoint", "third_quartile", "complete"]


def test_all_kinds_are_bid_in_the_demo_world_and_budgets_spent_in_all_ways() -> None:
    bids = [bid for business in MANY for bid in business.bids]

    assert {bid.kind for bid in bids} == set(get_args(Kind))
    assert {bid.pacing for bid in bids} == set(get_args(Pacing))


def test_every_business_says_what_an_advertiser_may_say() -> None:
    for business in (*SMALL, *MANY):
        assert business.category in CATEGORIES
        assert business.call_to_action in get_args(CallToAction)
        assert sum(bid.daily_budget_micros for bid in business.bids) < business.top_up_micros


def test_a_person_decides_on_an_ad_of_each_world() -> None:
    assert {business.category for business in SMALL} & SENSITIVE
    assert {business.category for business in MANY} & SENSITIVE


def test_an_ad_of_the_small_world_is_guaranteed_its_places() -> None:
    assert any(bid.guaranteed for business in SMALL for bid in business.bids)


def test_nobody_lives_in_both_worlds() -> None:
    handles = [business.owner.handle for business in (*SMALL, *MANY)]
    handles += [REVIEWER.handle, SECOND_REVIEWER.handle]
    handles += [neighbour.handle for neighbour in NEIGHBOURS]

    assert len(set(handles)) == len(handles)


def test_an_ad_is_watched_in_order_and_clicked_only_after_it_was_seen() -> None:
    chance = np.random.default_rng(7)

    watched = [list(seen(chance)) for _ in range(2000)]

    names = {beacon.name.lower() for beacon in Beacon}
    for events in watched:
        assert events[0] in {"viewable", "skip"}
        assert len(events) == len(set(events))
        assert set(events) <= names
        reached = [event for event in events if event in QUARTILES]
        assert reached == QUARTILES[: len(reached)]
    assert any("click" in events for events in watched)
    assert any("complete" in events for events in watched)
