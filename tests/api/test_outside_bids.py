"""Bidders outside: what they bid in time takes part in a page, whatever else they do does not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.json import encode
from msgspec.structs import replace as replaced
from prometheus_client import REGISTRY

from ads.record import AdRecord
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import drift_micros, spending_of
from myriorama.bootstrap.settlement import create_ad_tokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.signing import Signer
from tests.api.feed_ads import Advertised, Page, page_of, until
from tests.api.test_ad_choices import adolescent
from tests.doubles.bidder.app import Answers, BidderDouble
from tests.doubles.bidder.loopback import bidding
from tests.doubles.bidder.requests import Request
from tests.people import Person
from tests.publishing import published

APP = {"User-Agent": "Myriorama/1.0 (iOS; tests)", "Accept-Language": "de"}
RECORD = """
    SELECT d.price_micros, s.ads::text
    FROM ad_decisions d JOIN slates s USING (decision_id) WHERE ad_decision_id = %s
"""


@pytest.fixture
def listening() -> Iterator[tuple[BidderDouble, str]]:
    with bidding() as found:
        yield found


@pytest.fixture
def double(listening: tuple[BidderDouble, str]) -> BidderDouble:
    return listening[0]


@pytest.fixture
def url(listening: tuple[BidderDouble, str]) -> str:
    return f"http://{listening[1]}/openrtb2"


@pytest.fixture
def settings(settings: Settings, listening: tuple[BidderDouble, str]) -> Settings:
    return replace(settings, webhooks_inside=listening[1])


@pytest.fixture
def bob(person: Callable[[str], Person], log: Log) -> Person:
    """Who looks at a feed of sixty videos."""
    alice, bob = person("alice"), person("bob")
    for number in range(60):
        log.save(published(alice.account_id, caption=f"Number {number}"))
    until(lambda: len(page_of(bob, "kind=latest&limit=100")["items"]) == 60)
    return bob


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


def counted(reason: str) -> float:
    return REGISTRY.get_sample_value("myriorama_outside_bids_total", {"reason": reason}) or 0.0


def bidden_page(bob: Person, of: Advertised) -> Page:
    """Return a page with an ad of an advertiser."""
    found: list[Page] = []

    def is_there() -> bool:
        found[:] = [page_of(bob)]
        ids = [ad["advertiser"]["advertiser_id"] for ad in found[0]["ads"]]
        return ids == [str(of.advertiser.id)]

    until(is_there)
    return found[0]


def viewed(bob: Person, ad: dict[str, Any], connection: psycopg.Connection, key: str) -> None:
    """Report an ad as viewed, once it can be, and settle."""
    connection.execute("SELECT pg_sleep(2.5)")
    until(lambda: bool(connection.execute(RECORD, (ad["ad_decision_id"],)).fetchall()))
    report = {"events": [{"token": ad["token"], "event": "viewable"}]}
    assert bob.post("/v1/ad-events", json=report, headers=APP).json()["accepted"] == 1
    Settlement(connection, create_ad_tokens(Signer(key.encode()))).settle()


def test_a_bid_from_outside_wins_a_place_and_is_charged_by_what_the_others_bid(  # noqa: PLR0913, PLR0917 - fixtures
    bob: Person,
    log: Log,
    settings: Settings,
    connection: psycopg.Connection,
    double: BidderDouble,
    url: str,
) -> None:
    ours = Advertised(log, bid_micros=2_000_000)
    ours.pay_in(settings)
    bidden_page(bob, ours)
    theirs = Advertised(log, bidder=url)
    double.crid = str(theirs.creative.id)
    theirs.pay_in(settings)

    (ad,) = bidden_page(bob, theirs)["ads"]
    viewed(bob, ad, connection, settings.secret)

    assert double.refused == []
    ((price, record),) = connection.execute(RECORD, (ad["ad_decision_id"],)).fetchall()
    (shown,) = AdRecord.decode(record).shown
    # The line may bid 4.2 a thousand, was bid 3, and pays about what it keeps from the other, 2.
    assert shown.bid_micros == 3_000
    assert 1_900 <= shown.price_micros <= 3_000
    spent = spending_of(connection, "line", theirs.line.id)[0].spent_micros
    assert spent == price == shown.price_micros
    assert spending_of(connection, "line", ours.line.id)[0].spent_micros == 0
    assert drift_micros(connection) == 0


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ("nothing", "no_bid"),
        ("hang", "late"),
        ("garbage", "malformed"),
        ("wrong_type", "malformed"),
        ("another", "malformed"),
        ("encoded", "malformed"),
        ("huge", "broken"),
        ("redirect", "broken"),
        ("error", "broken"),
        ("foreign", "foreign"),
        ("other_currency", "foreign"),
    ],
)
def test_what_is_no_bid_leaves_the_page_as_it_is_without(  # noqa: PLR0913, PLR0917 - fixtures
    bob: Person,
    log: Log,
    settings: Settings,
    double: BidderDouble,
    url: str,
    answers: Answers,
    reason: str,
) -> None:
    theirs = Advertised(log, bidder=url)
    double.answers, double.crid = answers, str(theirs.creative.id)
    before = counted(reason)
    theirs.pay_in(settings)

    pages = list[Page]()

    def is_counted() -> bool:
        pages.append(page_of(bob))
        return counted(reason) > before

    until(is_counted)
    pages += [page_of(bob) for _ in range(5)]

    assert double.asked
    assert set(double.paths) == {"/openrtb2"}
    assert not any(page["ads"] for page in pages)
    assert {len(page["items"]) for page in pages} == {len(pages[0]["items"])}


@pytest.mark.parametrize(("price", "reason"), [(4.21, "too_dear"), (0.49, "below_floor")])
def test_no_bid_is_above_what_the_line_may_pay_or_below_the_reserve(  # noqa: PLR0913, PLR0917 - fixtures
    bob: Person,
    log: Log,
    settings: Settings,
    double: BidderDouble,
    url: str,
    price: float,
    reason: str,
) -> None:
    theirs = Advertised(log, bidder=url)
    double.price, double.crid = price, str(theirs.creative.id)
    before = counted(reason)
    theirs.pay_in(settings)
    pages = list[Page]()

    def is_counted() -> bool:
        pages.append(page_of(bob))
        return counted(reason) > before

    until(is_counted)

    assert not any(page["ads"] for page in [*pages, page_of(bob)])


def test_a_page_is_answered_while_a_bidder_has_not(
    bob: Person, log: Log, settings: Settings, double: BidderDouble, url: str
) -> None:
    ours = Advertised(log)
    ours.pay_in(settings)
    bidden_page(bob, ours)
    double.answers = "hang"
    theirs = Advertised(log, bidder=url)
    theirs.pay_in(settings)

    pages = list[Page]()

    def is_asked() -> bool:
        pages.append(page_of(bob))
        return double.waiting > 0

    until(is_asked)
    pages += [page_of(bob) for _ in range(10)]

    assert not double.released.is_set()
    assert {len(page["items"]) for page in pages} == {len(pages[0]["items"])}
    assert {ad["advertiser"]["name"] for page in pages for ad in page["ads"]} == {"Fox and Sons"}


def test_bids_from_outside_hold_no_more_money_than_there_is(  # noqa: PLR0913, PLR0917 - fixtures
    bob: Person,
    log: Log,
    settings: Settings,
    connection: psycopg.Connection,
    double: BidderDouble,
    url: str,
) -> None:
    theirs = Advertised(log, bidder=url)
    double.crid = str(theirs.creative.id)
    theirs.pay_in(settings, micros=5_000)
    (first,) = bidden_page(bob, theirs)["ads"]

    shown = {first["ad_decision_id"]}
    for _ in range(60):
        shown |= {ad["ad_decision_id"] for ad in page_of(bob)["ads"]}
        connection.execute("SELECT pg_sleep(0.05)")
    until(
        lambda: connection.execute("SELECT count(*) FROM ad_decisions").fetchone() == (len(shown),)
    )

    ((promised,),) = connection.execute("SELECT sum(price_micros) FROM ad_decisions").fetchall()
    assert 500 <= promised <= 5_000
    assert spending_of(connection, "line", theirs.line.id)[0].held_micros <= 5_000


def test_a_bidder_is_told_nothing_of_the_young_or_of_whoever_wants_contextual_ads(  # noqa: PLR0913, PLR0917 - fixtures
    bob: Person,
    api: TestClient[Litestar],
    log: Log,
    settings: Settings,
    double: BidderDouble,
    url: str,
) -> None:
    zoe = adolescent(api, settings)
    theirs = Advertised(log, bidder=url)
    double.answers = "nothing"
    theirs.pay_in(settings)

    def told_of(who: Person, *, is_followed: bool) -> Request:
        """Return what was asked behind a page of theirs, once what they chose has come through."""
        found: list[Request] = []

        def is_asked() -> bool:
            page_of(who)
            # One alone looks: whatever is asked from here on is asked of them.
            found[:] = [each for each in double.asked[-1:] if bool(each.user) is is_followed]
            return bool(found)

        double.asked.clear()
        until(is_asked)
        return found[0]

    followed = told_of(bob, is_followed=True)
    young = told_of(zoe, is_followed=False)
    bob.patch("/v1/me/ad-preferences", json={"contextual_only": True})
    contextual = told_of(bob, is_followed=False)

    assert double.refused == []
    assert followed.device.lmt == 0
    for each in (young, contextual):
        assert (each.device.lmt, each.device.geo, each.user, each.bcat) == (1, None, None, ())
    # But for its own ID there is nothing by which a bidder could tell one from the other.
    assert replaced(young, id="") == replaced(contextual, id="")
    ids = (bob.account_id, zoe.account_id)
    asked = encode([followed, young, contextual]).decode()
    assert not any(str(each) in asked or each.hex in asked for each in ids)


def test_nobody_is_asked_for_a_line_that_is_paused(
    bob: Person, log: Log, settings: Settings, double: BidderDouble, url: str
) -> None:
    theirs = Advertised(log, bidder=url)
    double.answers = "nothing"
    theirs.pay_in(settings)
    until(lambda: bool(page_of(bob)) and bool(double.asked))

    theirs.pause()
    asked = [-1]

    def is_over() -> bool:
        before = len(double.asked)
        for _ in range(12):
            page_of(bob)
            asked[0] = len(double.asked)
        return before == asked[0]

    until(is_over)
    for _ in range(10):
        page_of(bob)

    assert len(double.asked) == asked[0]
