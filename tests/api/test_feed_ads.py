"""Ads in feeds: by the rules, from paid budgets, and never at the cost of what else is there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from ads.record import AdRecord
from domain.frequency import FrequencyCap
from domain.line_item.terms import Targeting
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import drift_micros, spending_of
from myriorama.bootstrap.settlement import create_ad_tokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.signing import Signer
from tests.api.feed_ads import (
    Advertised,
    Page,
    advertised_page,
    joined,
    page_of,
    scroll,
    until,
)
from tests.people import Person
from tests.publishing import published

People = Callable[[str], Person]
APP = {"User-Agent": "Myriorama/1.0 (iOS; tests)"}


@pytest.fixture
def bob(person: People, log: Log) -> Person:
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


def without_token(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**item, "view_token": None} for item in page["items"]]


def test_ads_stand_between_the_videos_by_the_rules_on_both_lanes(
    bob: Person, log: Log, settings: Settings
) -> None:
    before = page_of(bob)

    Advertised(log).pay_in(settings)
    page = advertised_page(bob)
    routed = page_of(bob, routed=True)

    assert before["ads"] == []
    assert without_token(page) == without_token(routed) == without_token(before)
    (ad,) = page["ads"]  # competitors and one advertiser stand once on a page
    assert ad["position"] >= 3
    assert (ad["label"], ad["payer"]) == ("Sponsored", "Fox and Sons")
    assert ad["advertiser"]["website"] == "shop.example.com"
    assert ad["why"] == f"/v1/ads/{ad['ad_decision_id']}/why"
    assert ad["click_url"] == "https://shop.example.com/spring"
    assert "expires=" in ad["creative"]["video_url"]
    assert [sorted(each) for each in routed["ads"]] == [sorted(ad)] * len(routed["ads"])


def test_the_gap_is_kept_from_page_to_page_and_from_lane_to_lane(
    bob: Person, log: Log, settings: Settings
) -> None:
    for _ in range(4):
        Advertised(log).pay_in(settings)
    advertised_page(bob)
    carol = bob

    pages = [*scroll(carol, "kind=latest&limit=6", pages=9)]

    stream = [each for page in pages for each in joined(page)]
    ads = [place for place, each in enumerate(stream) if each == "ad"]
    assert len(ads) >= 3
    assert ads[0] >= 3
    assert all(later - former > 4 for former, later in pairwise(ads))
    captions = [item["caption"] for page in pages for item in page["items"]]
    assert captions == [f"Number {number}" for number in range(59, 59 - len(captions), -1)]


@pytest.mark.parametrize("end", ["pause", "withdraw_grant", "withdraw_creative"])
def test_what_may_not_be_shown_any_more_is_gone(
    bob: Person, log: Log, settings: Settings, end: str
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    advertised_page(bob)

    getattr(advertised, end)()
    # A page may be without ads for other reasons, ten in a row are not.
    until(lambda: not any(page_of(bob)["ads"] for _ in range(10)))

    assert not any(page_of(bob, routed=bool(turn % 2))["ads"] for turn in range(20))


def test_an_ad_that_was_seen_is_charged_once_at_its_price(
    bob: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    advertised = Advertised(log)
    advertised.pay_in(settings)
    (ad,) = advertised_page(bob, "kind=latest&limit=20")["ads"]
    rows = """
        SELECT d.price_micros, d.viewer_id, d.surface, d.place, d.reasons, s.ads::text
        FROM ad_decisions d JOIN slates s USING (decision_id) WHERE ad_decision_id = %s
    """
    until(lambda: bool(connection.execute(rows, (ad["ad_decision_id"],)).fetchall()))
    # No view is believed sooner than it can have happened.
    connection.execute("SELECT pg_sleep(2.5)")

    report = {"events": [{"token": ad["token"], "event": "viewable"}]}
    answers = [bob.post("/v1/ad-events", json=report, headers=APP) for _ in range(3)]
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    Settlement(connection, tokens).settle()

    assert [answer.json()["accepted"] for answer in answers] == [1, 1, 1]
    ((price, viewer_id, surface, place, reasons, record),) = connection.execute(
        rows, (ad["ad_decision_id"],)
    ).fetchall()
    assert (viewer_id, surface, place) == (bob.account_id, 2, ad["position"])
    assert reasons == ["everybody"]
    shown = AdRecord.decode(record).shown
    assert [str(each.ad_decision_id) for each in shown] == [ad["ad_decision_id"]]
    spent = spending_of(connection, "line", advertised.line.id)[0].spent_micros
    assert 500 <= spent == price == shown[0].price_micros <= 4_200
    assert drift_micros(connection) == 0


def test_a_video_that_was_not_played_to_its_end_is_not_charged_as_if_it_was(
    bob: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    advertised = Advertised(log, kind="cpv")
    advertised.pay_in(settings)
    (ad,) = advertised_page(bob, "kind=latest&limit=20")["ads"]
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    report = {"events": [{"token": ad["token"], "event": "complete"}]}
    marks = "SELECT mark FROM charges WHERE decision_id = %s ORDER BY position"

    at_once = [
        bob.post("/v1/ad-events", json=report, headers=APP),
        bob.get(f"/v1/ad-events/{ad['token']}/complete.gif", headers=APP),
    ]
    Settlement(connection, tokens).settle()
    spent_at_once = spending_of(connection, "line", advertised.line.id)[0].spent_micros
    # The video takes four seconds.
    connection.execute("SELECT pg_sleep(4)")
    bob.post("/v1/ad-events", json=report, headers=APP)
    Settlement(connection, tokens).settle()

    assert [answer.status_code for answer in at_once] == [200, 200]
    assert spent_at_once == 0
    assert spending_of(connection, "line", advertised.line.id)[0].spent_micros > 0
    counted = connection.execute(marks, (ad["ad_decision_id"],)).fetchall()
    assert counted == [("played_too_soon",), (None,)]
    assert drift_micros(connection) == 0


def test_the_ad_of_another_viewer_is_nobody_elses_to_report(
    bob: Person, person: People, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    Advertised(log).pay_in(settings)
    (ad,) = advertised_page(bob, "kind=latest&limit=20")["ads"]
    report = {"events": [{"token": ad["token"], "event": "hide"}]}

    mallory = person("mallory").post("/v1/ad-events", json=report, headers=APP)
    own = bob.post("/v1/ad-events", json=report, headers=APP)

    assert mallory.json() == {
        "accepted": 0,
        "refused": [{"index": 0, "code": "ad_token_of_another"}],
    }
    assert own.json() == {"accepted": 1, "refused": []}
    stored = connection.execute("SELECT count(*) FROM ad_events").fetchone()
    assert stored == (1,)


def test_a_cap_holds_for_pages_that_are_asked_for_at_once(
    bob: Person, log: Log, settings: Settings
) -> None:
    Advertised(log, caps=(FrequencyCap(2, 3600),)).pay_in(settings)
    first = advertised_page(bob)

    def asked(_: int) -> Page:
        return page_of(bob)

    with ThreadPoolExecutor(8) as threads:
        pages = [*threads.map(asked, range(24))]

    assert len(first["ads"]) + sum(len(page["ads"]) for page in pages) == 2


def test_nobody_who_has_not_paid_is_shown(bob: Person, log: Log, settings: Settings) -> None:
    poor, rich = Advertised(log), Advertised(log)
    rich.pay_in(settings)
    shown = advertised_page(bob)

    pages = [page_of(bob) for _ in range(10)]

    ads = [ad for page in [shown, *pages] for ad in page["ads"]]
    assert {ad["advertiser"]["advertiser_id"] for ad in ads} == {str(rich.advertiser.id)}
    assert poor.advertiser.id != rich.advertiser.id


def test_who_is_not_known_to_be_of_age_is_told_apart_by_nothing(
    bob: Person, log: Log, settings: Settings, connection: psycopg.Connection
) -> None:
    targeting = Targeting(age_bands=("18+",))
    aimed, anyone = Advertised(log, targeting=targeting), Advertised(log)
    aimed.pay_in(settings)
    anyone.pay_in(settings)
    until(
        lambda: any(
            ad["advertiser"]["advertiser_id"] == str(aimed.advertiser.id)
            for ad in advertised_page(bob)["ads"]
        )
    )

    connection.execute(
        "UPDATE accounts SET age_band = '', position = position + 1000 WHERE account_id = %s",
        (bob.account_id,),
    )
    bob.patch("/v1/me", json={"bio": "here"})
    until(lambda: bob.get("/v1/me").json()["bio"] == "here")
    pages = [advertised_page(bob) for _ in range(5)]

    ads = [ad for page in pages for ad in page["ads"]]
    assert {ad["advertiser"]["advertiser_id"] for ad in ads} == {str(anyone.advertiser.id)}
