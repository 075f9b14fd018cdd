"""Bids for places elsewhere: shown and billed once won, as the seller tells, and never else."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree as ET

import psycopg
import pytest
import vastlint  # pyright: ignore[reportMissingTypeStubs]  # it ships no types
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from ads.record import AdRecord
from ads.tokens import columns
from domain.frequency import FrequencyCap
from myriorama.api.tokens import Scope
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import drift_micros, spending_of
from myriorama.bootstrap.settlement import create_ad_tokens
from myriorama.feed.sealed_bids import SealedBids
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.signing import Signer
from tests.api.advertised import with_scopes
from tests.api.feed_ads import Advertised, until
from tests.people import Person

PLAYER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"}
SHOWN = "SELECT price_micros, surface, feed FROM ad_decisions WHERE ad_decision_id = %s"
WAITING = "SELECT count(*) FROM exchange_reports"
RESERVE, MOST = 500, 4_200
"""What one event costs by the rules of the house at least, and by the line's bid at most."""

Json = dict[str, Any]


def request_for(**differing: Any) -> Json:
    """Return what a seller sends for one place before an adult."""
    return {
        "id": "r1",
        "imp": [{"id": "1", "video": {"mimes": ["video/mp4"], "protocols": [8, 13]}, "secure": 0}],
        "app": {"id": "a", "content": {"cat": ["IAB17"], "language": "de"}},
        "device": {"os": "iOS", "geo": {"country": "DEU"}},
        "user": {"id": "user-1", "yob": 1990},
        "cur": ["EUR", "USD"],
        "tmax": 5000,
        **differing,
    }


@pytest.fixture
def seller(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("sally"), settings, Scope.SELLER)


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


def ask(seller: Person, **differing: Any) -> Json | None:
    answer = seller.post("/openrtb2/auction", json=request_for(**differing))
    assert answer.status_code in {200, 204}, answer.text
    assert answer.headers["x-openrtb-version"] == "2.6"
    found: Json | None = answer.json() if answer.status_code == 200 else None
    return found


def bid_of(seller: Person, **differing: Any) -> Json:
    """Return a bid, once there is money at hand and what decides on it is compiled."""
    found: list[Json | None] = []

    def is_bid() -> bool:
        found[:] = [ask(seller, **differing)]
        return found[0] is not None

    until(is_bid)
    assert found[0] is not None
    ((bid,),) = (seat["bid"] for seat in found[0]["seatbid"])
    answered: Json = bid
    return answered


def bill(client: TestClient[Litestar], bid: Json, price: object, settings: Settings) -> int:
    url = bid["burl"].replace("${AUCTION_PRICE}", str(price)).removeprefix(settings.public_url)
    return client.get(url).status_code


def play(client: TestClient[Litestar], bid: Json, settings: Settings) -> None:
    """Fetch what a player does that shows the ad to its end."""
    document = ET.fromstring(bid["adm"])  # noqa: S314 - it is our own
    space = "{http://www.iab.com/VAST}"
    urls = [document.findtext(f".//{space}Impression"), document.findtext(f".//{space}Viewable")]
    for url in urls:
        assert url is not None
        answer = client.get(url.strip().removeprefix(settings.public_url), headers=PLAYER)
        assert answer.status_code == 200


def settle(connection: psycopg.Connection, settings: Settings) -> None:
    Settlement(connection, create_ad_tokens(Signer(settings.secret.encode()))).settle()


def await_record(connection: psycopg.Connection, bid: Json) -> None:
    """Let a showing be projected: nothing is charged without its record."""
    until(lambda: connection.execute(SHOWN, (bid["id"],)).fetchone() is not None)


def spent(connection: psycopg.Connection, advertised: Advertised) -> int:
    return spending_of(connection, "line", advertised.line.id)[0].spent_micros


def await_view(connection: psycopg.Connection) -> None:
    """Let the time pass that a view takes: none is believed sooner."""
    connection.execute("SELECT pg_sleep(2.5)")


def test_a_bid_that_won_is_a_showing_and_is_charged_what_the_auction_came_to(
    seller: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    bid = bid_of(seller)
    await_view(connection)

    # The player is faster than the seller: nothing counts until the bid has won.
    play(seller.client, bid, settings)
    settle(connection, settings)
    before = spent(connection, advertised), connection.execute(WAITING).fetchone()
    told = [bill(seller.client, bid, bid["price"], settings) for _ in range(3)]
    play(seller.client, bid, settings)
    await_record(connection, bid)
    settle(connection, settings)

    assert before == (0, (1,))
    assert told == [204, 204, 204]
    (row,) = connection.execute(SHOWN, (bid["id"],)).fetchall()
    price = spent(connection, advertised)
    assert row == (price, 5, "exchange")
    # At its own price a bid costs what was bid, less what was rounded.
    assert MOST - 1 <= price <= MOST
    assert drift_micros(connection) == 0


def test_a_bid_says_what_the_standard_asks_for(
    seller: Person, log: Log, settings: Settings
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    bid_of(seller)

    answer = ask(seller)

    assert answer is not None
    assert (answer["id"], answer["cur"]) == ("r1", "USD")
    (seat,) = answer["seatbid"]
    (bid,) = seat["bid"]
    assert seat["seat"] == str(advertised.advertiser.id)
    assert 0 < bid["price"] <= MOST / 1000
    assert (bid["impid"], bid["adomain"]) == ("1", ["shop.example.com"])
    assert (bid["cat"], bid["cattax"], bid["attr"]) == (["IAB9"], 1, [16])
    assert (bid["dur"], bid["w"], bid["h"], bid["mtype"]) == (4, 480, 832, 2)
    assert bid["crid"] == str(advertised.creative.id)
    assert bid["cid"] == str(advertised.campaign.id)
    assert bid["burl"].endswith("?price=${AUCTION_PRICE}")
    assert "nurl" not in bid
    assert vastlint.validate(bid["adm"].encode()).valid


def test_a_bid_that_is_lost_costs_nothing_and_is_no_showing(
    seller: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    bid = bid_of(seller)
    await_view(connection)

    play(seller.client, bid, settings)
    settle(connection, settings)

    assert spent(connection, advertised) == 0
    assert connection.execute("SELECT count(*) FROM charges").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM slates").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM ad_events").fetchone() == (0,)


@pytest.mark.parametrize(("told", "costs"), [(1_000_000, MOST), ("0.0001", RESERVE), (0, RESERVE)])
def test_no_price_told_is_below_the_reserve_or_above_the_bid(  # noqa: PLR0913, PLR0917 - fixtures
    seller: Person,
    log: Log,
    settings: Settings,
    connection: psycopg.Connection,
    told: object,
    costs: int,
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    bid = bid_of(seller)
    await_view(connection)

    # What is told first holds.
    answers = [bill(seller.client, bid, price, settings) for price in (told, 2, 3)]
    play(seller.client, bid, settings)
    await_record(connection, bid)
    settle(connection, settings)

    assert answers == [204, 204, 204]
    assert spent(connection, advertised) == costs
    assert drift_micros(connection) == 0


def test_a_bid_that_is_billed_and_played_many_times_at_once_is_charged_once(
    seller: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    bid = bid_of(seller)
    await_view(connection)

    with ThreadPoolExecutor(8) as threads:
        playing = [threads.submit(play, seller.client, bid, settings) for _ in range(12)]
        billing = [threads.submit(bill, seller.client, bid, price, settings) for price in range(12)]
        answers = {each.result() for each in billing}
        for each in playing:
            each.result()
    await_record(connection, bid)
    settle(connection, settings)

    assert answers == {204}
    ((token,),) = connection.execute("SELECT token FROM exchange_wins").fetchall()
    reported = connection.execute("SELECT DISTINCT token FROM ad_events").fetchall()
    assert reported == [(token,)]
    assert connection.execute("SELECT count(*) FROM slates").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM charges").fetchone() == (1,)
    assert connection.execute(WAITING).fetchone() == (0,)
    price = columns([token])["price_micros"].item()
    assert RESERVE <= spent(connection, advertised) == price <= MOST
    assert drift_micros(connection) == 0


def test_what_is_forged_or_over_or_without_a_price_bills_nothing(
    seller: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    Advertised(log).pay_in(settings)
    bid = bid_of(seller)
    sealed = bid["burl"].split("/")[-1].partition("?")[0]
    seals = SealedBids(Signer(settings.secret.encode()))
    opened = seals.open(sealed, now_ms=0)
    over = replace(opened.shown, expires_ms=time.time_ns() // 1_000_000)
    late = seals.seal(replace(opened, record=AdRecord(opened.record.auction, (over,))))
    elsewhere = SealedBids(Signer(b"a secret of another house, of 32 bytes")).seal(opened)

    codes = {
        (billing, price): seller.client.get(f"/openrtb2/billing/{billing}?price={price}")
        for billing, price in (
            (sealed[:-8] + "AAAAAA==", "1"),
            (sealed[:-1] + "!", "1"),
            (sealed + "!!", "1"),
            ("x", "1"),
            (elsewhere, "1"),
            (late, "1"),
            (sealed, "${AUCTION_PRICE}"),
            (sealed, "nan"),
            (sealed, "-1"),
            (sealed, ""),
            (sealed, "\N{ARABIC-INDIC DIGIT THREE}"),
        )
    }

    assert {each.status_code for each in codes.values()} == {422}
    assert [each.json()["code"] for each in codes.values()] == [
        *["bid_invalid"] * 5,
        "bid_expired",
        *["auction_price_invalid"] * 5,
    ]
    assert connection.execute("SELECT count(*) FROM exchange_wins").fetchone() == (0,)


def test_a_test_is_bid_for_and_never_billed(
    seller: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    bid = bid_of(seller, test=1)
    await_view(connection)

    told = bill(seller.client, bid, bid["price"], settings)
    play(seller.client, bid, settings)
    settle(connection, settings)

    assert told == 204
    assert spent(connection, advertised) == 0
    assert connection.execute("SELECT count(*) FROM exchange_wins").fetchone() == (0,)
    assert connection.execute(WAITING).fetchone() == (0,)


def test_nothing_is_bid_without_money_and_no_more_once_it_is_paused(
    seller: Person, log: Log, settings: Settings
) -> None:
    advertised = Advertised(log)
    # It is known and may be shown, as tests have no need of money.
    bid_of(seller, test=1)
    without_money = [ask(seller) for _ in range(5)]
    advertised.pay_in(settings)
    bid_of(seller)

    advertised.pause()
    until(lambda: not any(ask(seller) for _ in range(5)))

    assert without_money == [None] * 5
    assert [ask(seller) for _ in range(10)] == [None] * 10


def test_caps_count_what_was_won_and_who_is_not_known_is_not_capped_but_left(
    seller: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    Advertised(log, caps=(FrequencyCap(1, 86_400),)).pay_in(settings)
    bid = bid_of(seller)
    bill(seller.client, bid, bid["price"], settings)

    again = [ask(seller) for _ in range(3)]
    stranger = ask(seller, user={"yob": 1990})
    child = ask(seller, user={"id": "user-3"}, regs={"coppa": 1})
    other = bid_of(seller, user={"id": "user-2"})

    assert again == [None] * 3
    assert (stranger, child) == (None, None)
    assert other["id"] != bid["id"]
    assert connection.execute("SELECT count(*) FROM exchange_wins").fetchone() == (1,)


def test_who_may_not_follow_the_seller_gets_no_bid(
    seller: Person, log: Log, settings: Settings
) -> None:
    Advertised(log).pay_in(settings)
    bid_of(seller)
    video = {"mimes": ["video/mp4"]}

    def imp(**differing: Any) -> list[Json]:
        return [{"id": "1", "video": video, **differing}]

    offers: dict[str, Json] = {
        "what it is about is not said": {"app": {"id": "a"}},
        "it is about what is not safe": {"app": {"content": {"cat": ["IAB17", "IAB9-7"]}}},
        "codes of another taxonomy": {"app": {"content": {"cat": ["483"], "cattax": 6}}},
        "for adults": {"app": {"content": {"cat": ["IAB17"], "qagmediarating": 3}}},
        "its category is blocked": {"bcat": ["IAB9"]},
        "other categories alone": {"acat": ["IAB2"]},
        "blocked in words that are not known": {"bcat": ["1"], "cattax": 7},
        "its advertiser is blocked": {"badv": ["example.com"]},
        "another currency": {"cur": ["EUR"]},
        "below the floor": {"imp": imp(bidfloor=100)},
        "a floor in another currency": {"imp": imp(bidfloor=0.01, bidfloorcur="EUR")},
        "for who has a deal": {"imp": imp(pmp={"private_auction": 1})},
        "other files": {"imp": imp(video={"mimes": ["video/webm"]})},
        "an older document": {"imp": imp(video={**video, "protocols": [2, 3]})},
        "may not be skipped": {"imp": imp(video={**video, "battr": [16]})},
        "too long": {"imp": imp(video={**video, "maxduration": 3})},
        "too short": {"imp": imp(video={**video, "minduration": 5})},
        "by the second": {"imp": imp(video={**video, "mincpmpersec": 10})},
        "no video": {"imp": [{"id": "1", "banner": {"w": 300}}]},
    }

    refused = {name: ask(seller, **differing) for name, differing in offers.items()}

    assert {name: answer for name, answer in refused.items() if answer is not None} == {}
    assert ask(seller) is not None


def test_what_is_no_request_is_a_problem(seller: Person) -> None:
    wrong: list[Json] = [
        {"imp": []},
        {"imp": [{}]},
        {"id": 7},
        {"cur": ["dollars"]},
        {"test": 2},
    ]
    for broken in wrong:
        answer = seller.post("/openrtb2/auction", json=request_for(**broken))

        assert answer.status_code == 400, broken
        assert answer.headers["content-type"] == "application/problem+json"


def test_places_of_one_page_go_to_different_advertisers(
    seller: Person, log: Log, settings: Settings
) -> None:
    for _ in range(2):
        Advertised(log).pay_in(settings)
    place = {"video": {"mimes": ["video/mp4"]}}
    answers: list[Json | None] = []

    def has_two() -> bool:
        answers[:] = [ask(seller, imp=[{"id": each, **place} for each in "123"])]
        return answers[0] is not None and len(answers[0]["seatbid"]) == 2

    until(has_two)

    assert answers[0] is not None
    bids = [bid for seat in answers[0]["seatbid"] for bid in seat["bid"]]
    assert [bid["impid"] for bid in bids] == ["1", "2"]
