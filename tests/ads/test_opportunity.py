"""What a seller declares, as the decision knows it: nothing is guessed, and nothing rounds up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads import opportunity
from ads.openrtb import BidRequest

NOW_MS = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
IMP = [{"id": "1", "video": {"mimes": ["video/mp4"]}}]


def request(**said: Any) -> BidRequest:
    return msgspec.convert({"id": "r", "imp": IMP, **said}, BidRequest)


@pytest.mark.parametrize(
    ("said", "is_minor", "age_band"),
    [
        ({"user": {"yob": 1990}}, False, "18+"),
        ({"user": {"yob": 2007}}, False, "18+"),
        ({"user": {"yob": 2008}}, True, ""),  # may turn eighteen later this year
        ({"user": {"id": "u"}}, True, ""),
        ({}, True, ""),
        ({"user": {"yob": 1990}, "regs": {"coppa": 1}}, True, ""),
        ({"user": {"yob": 1990}, "device": {"lmt": 1}}, False, ""),
        ({"user": {"yob": 1990}, "device": {"dnt": 1}}, False, ""),
    ],
)
def test_only_a_declared_adult_who_may_be_followed_has_an_age(
    said: dict[str, Any], *, is_minor: bool, age_band: str
) -> None:
    viewer = opportunity.viewer_of(request(**said), 1, {}, now_ms=NOW_MS)

    assert (viewer.is_minor, viewer.age_band) == (is_minor, age_band)
    assert viewer.contextual_only == (not age_band)
    assert not viewer.interests


@pytest.mark.parametrize(
    ("said", "country", "language", "platform"),
    [
        (
            {"device": {"os": "iOS", "language": "pt-BR", "geo": {"country": "BRA"}}, "app": {}},
            *("BR", "pt", "ios"),
        ),
        ({"site": {"content": {"language": "de"}}, "device": {"language": "fr"}}, "", "de", "web"),
        ({"user": {"geo": {"country": "deu"}}, "device": {"os": "Tizen"}}, "DE", "", ""),
        ({"device": {"geo": {"country": "DE"}}}, "", "", ""),
        ({}, "", "", ""),
    ],
)
def test_place_and_words_are_those_that_are_told(
    said: dict[str, Any], country: str, language: str, platform: str
) -> None:
    viewer = opportunity.viewer_of(request(**said), 1, {}, now_ms=NOW_MS)

    assert (viewer.country, viewer.language, viewer.platform) == (country, language, platform)


@pytest.mark.parametrize(
    ("said", "safety"),
    [
        ({"content": {"cat": ["IAB17", "IAB2-3"]}}, "safe"),
        ({"pagecat": ["IAB10"], "cat": ["IAB26"]}, "safe"),
        ({"cat": ["IAB1"], "content": {"title": "Fox"}}, "safe"),
        ({"content": {"cat": ["IAB17", "IAB26"]}}, "unsafe"),
        ({"content": {"cat": ["IAB8-5"]}}, "unsafe"),
        ({"content": {"cat": ["IAB12"]}}, "unsafe"),
        ({"content": {"cat": ["IAB1"], "qagmediarating": 3}}, "unsafe"),
        ({"content": {"cat": ["IAB17"], "cattax": 2}}, None),
        ({"content": {"cat": []}}, None),
        ({}, None),
    ],
)
def test_a_place_is_safe_if_all_that_is_said_of_it_is(
    said: dict[str, Any], safety: str | None
) -> None:
    page = opportunity.page_of(request(app=said))

    assert {slot.safety for slot in page} == {safety}
    assert len(page) == opportunity.SURROUNDED


def test_what_a_place_is_about_is_held_against_what_advertisers_exclude() -> None:
    content = {"cat": ["IAB17"], "keywords": "Boxing match, KNOCKOUT", "title": "The final"}

    slot = opportunity.page_of(request(site={"content": content}))[0]

    assert slot.category == "sports"
    assert {"boxing match", "boxing", "match", "knockout", "final"} <= slot.keywords


def test_blocked_categories_are_hidden_and_only_allowed_ones_are_not() -> None:
    blocked = opportunity.viewer_of(request(bcat=["IAB8", "IAB9-7"]), 1, {}, now_ms=NOW_MS)
    allowed = opportunity.viewer_of(request(acat=["IAB8"]), 1, {}, now_ms=NOW_MS)

    assert blocked.hidden_categories == {"food", "alcohol", "gambling"}
    assert {"food", "alcohol"}.isdisjoint(allowed.hidden_categories)
    assert {"toys", "travel", "other"} <= allowed.hidden_categories


@pytest.mark.parametrize(
    ("domain", "blocked"),
    [
        ("shop.example.com", True),
        ("EXAMPLE.com.", True),
        ("example.com.evil.org", False),
        ("notexample.com", False),
        ("", False),
    ],
)
def test_a_blocked_domain_blocks_what_is_below_it_and_nothing_like_it(
    domain: str, *, blocked: bool
) -> None:
    assert opportunity.is_blocked(domain, frozenset({"example.com"})) is blocked


@given(
    bid=st.integers(1, 1 << 40),
    p_billed=st.floats(1e-6, 1.0, exclude_min=True),
    told=st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=6),
    least=st.integers(0, 1 << 20),
)
def test_no_event_costs_more_than_its_bid_whatever_the_auction_tells(
    bid: int, p_billed: float, told: Decimal, least: int
) -> None:
    least = min(least, bid)

    costs = opportunity.event_micros(told, p_billed, least=least, most=bid)
    asked = Decimal(opportunity.cpm_micros(bid, p_billed)) / 1_000_000
    at_own_price = opportunity.event_micros(asked, p_billed, least=0, most=bid)

    assert least <= costs <= bid
    assert Decimal(opportunity.cpm_micros(bid, p_billed)) <= bid * 1000 * Decimal(p_billed)
    # What rounding takes is less than a micro of a thousand showings, by event.
    assert at_own_price >= bid - 1 - Decimal("0.001") / Decimal(p_billed)
