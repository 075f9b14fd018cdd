"""Asking outside: what a bidder is told of a viewer, and which answers are bids."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from ads.asking import KEPT_S_MAX, Asked, Bidden, House, bidden, request_of
from ads.viewer import OutsideBid, Viewer
from myriorama.bench.ad_markets import creative, line
from tests.doubles.bidder.requests import Request

LINE = line(1, bidder="https://bidder.example.com/", creatives=(creative(1), creative(2)))
ASKED = Asked("r1", LINE, "EUR", 500)
HOUSE = House("ads.example.org", "Myriorama", "1")
ADULT = Viewer(
    1,
    country="DE",
    language="de",
    age_band="18+",
    interests=frozenset({"surfing"}),
    platform="ios",
    hidden_categories=frozenset({"gambling"}),
)
MINOR = msgspec.structs.replace(ADULT, is_minor=True, age_band="13-15")
CONTEXTUAL = msgspec.structs.replace(ADULT, contextual_only=True)
BID: dict[str, Any] = {
    "id": "b1",
    "impid": "1",
    "price": 3.2109,
    "crid": str(creative(2).creative_id),
    "dealid": str(LINE.line_id),
}


def _asked(viewer: Viewer) -> bytes:
    return request_of(ASKED, viewer, HOUSE, user_id="u1", tmax_ms=150)


def _bidden(*bids: dict[str, Any], **differing: Any) -> object:
    said = {"id": "r1", "cur": "EUR", "seatbid": [{"bid": list(bids)}], **differing}
    return bidden(msgspec.json.encode(said), ASKED)


def test_an_adult_is_a_pseudonym_in_a_country_and_never_an_age_or_an_interest() -> None:
    content = _asked(ADULT)

    request = msgspec.json.decode(content, type=Request)
    (imp,) = request.imp
    (deal,) = imp.pmp.deals
    assert request.user is not None
    assert request.device.geo is not None
    assert (request.user.id, request.device.geo.country) == ("u1", "DEU")
    assert (deal.id, deal.bidfloor, deal.bidfloorcur) == (str(LINE.line_id), 0.5, "EUR")
    assert (request.cur, request.tmax, request.bcat) == (("EUR",), 150, ("IAB9-7",))
    assert (imp.video.minduration, imp.video.maxduration, imp.secure) == (10, 10, 1)
    assert not any(each in content for each in (b"surfing", b"18+", b"yob"))


def test_of_a_minor_nothing_is_told_but_the_context_and_not_that_they_are_one() -> None:
    content = _asked(MINOR)

    request = msgspec.json.decode(content, type=Request)
    assert (request.user, request.device.geo, request.bcat) == (None, None, ())
    assert request.device.lmt == 1
    assert request.app.content is not None
    assert request.app.content.language == "de"
    assert content == _asked(CONTEXTUAL)
    assert not any(each in content for each in (b"u1", b"DEU", b"13-15", b"surfing"))


def test_a_bid_is_rounded_down_to_what_one_impression_costs_and_kept_for_a_while() -> None:
    bid = OutsideBid(creative(2).creative_id, 3210)

    assert _bidden(BID) == Bidden(bid, KEPT_S_MAX)
    assert _bidden({**BID, "exp": 20}) == Bidden(bid, 20)
    assert _bidden({**BID, "exp": 86_400}) == Bidden(bid, KEPT_S_MAX)
    assert _bidden({**BID, "price": 1}, BID, {**BID, "price": 9}) == Bidden(bid, KEPT_S_MAX)


@pytest.mark.parametrize(
    ("differing", "refusal"),
    [
        ({"price": 0}, "malformed"),
        ({"price": -1}, "malformed"),
        ({"price": "3"}, "malformed"),
        ({"price": 1e300}, "malformed"),
        ({"id": ""}, "malformed"),
        ({"exp": -1}, "malformed"),
        ({"impid": "2"}, "foreign"),
        ({"crid": str(UUID(int=9))}, "foreign"),
        ({"crid": ""}, "foreign"),
        ({"dealid": ""}, "foreign"),
        ({"price": 0.4999}, "below_floor"),
        ({"price": 5.001}, "too_dear"),
    ],
)
def test_what_is_not_of_the_deal_is_no_bid(differing: dict[str, Any], refusal: str) -> None:
    assert _bidden({**BID, **differing}) == refusal


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", "malformed"),
        (b"null", "malformed"),
        (b"[" * 10_000, "malformed"),
        (b"\xff\xfe", "malformed"),
        (b'{"id": "r2", "cur": "EUR"}', "malformed"),
        (b'{"id": "r1"}', "no_bid"),
        (b'{"id": "r1", "nbr": 2, "seatbid": []}', "no_bid"),
        (b'{"id": "r1", "seatbid": [{"bid": []}]}', "malformed"),
    ],
)
def test_what_is_no_answer_of_the_standard_is_no_bid(content: bytes, refusal: str) -> None:
    assert bidden(content, ASKED) == refusal


def test_a_bid_in_another_currency_is_none() -> None:
    assert _bidden(BID, cur="USD") == "foreign"
    assert bidden(msgspec.json.encode({"id": "r1", "seatbid": [{"bid": [BID]}]}), ASKED) == (
        "foreign"
    )
