"""The public repository of ads: whose, what, when, for whom; never who saw it."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.creative.aggregate import Creative
from myriorama.api.ad_repository import rounded
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.advertising import NOON
from tests.api.advertised import Advertised, advertised, approve
from tests.people import Person
from tests.showings import show, shown_ad

URL = "/v1/ads/repository"
YEAR_MS = 366 * 86_400_000


@pytest.fixture
def fox(person: Callable[[str], Person], log: Log) -> Advertised:
    fox = advertised(log, person("alice").account_id)
    approve(log, fox.creative_id)
    return fox


def found(api: TestClient[Litestar], count: int, **query: str) -> list[dict[str, Any]]:
    """Ask without an account, until so many are folded."""
    until = time.monotonic() + 10
    while len(items := api.get(URL, params=query).json()["items"]) != count:
        assert time.monotonic() < until
    answer: list[dict[str, Any]] = items
    return answer


def test_anybody_finds_an_ad_by_whose_and_what_and_when_it_was(
    api: TestClient[Litestar], settings: Settings, fox: Advertised
) -> None:
    viewers = [uuid4() for _ in range(12)]
    for viewer in viewers:
        show(settings.database_url, viewer, shown_ad(fox, reasons=("country:NZ", "age:18+")))
    until = time.monotonic() + 10
    while not (ad := found(api, 1)[0])["reach"]:
        assert time.monotonic() < until

    day = ad["first_shown_at"][:10]

    assert ad["payer"] == ad["advertiser"]["name"] == "Fox and Sons"
    assert ad["content"]["landing_url"] == "https://shop.example.com/spring"
    assert sorted(ad["targeting"]) == ["age:18+", "country:NZ"]
    assert not any(str(viewer) in json.dumps(ad) for viewer in viewers)
    for query in (
        {"advertiser": "fox"},
        {"advertiser_id": str(fox.advertiser_id)},
        {"category": "toys"},
        {"since": day, "until": day},
    ):
        assert len(found(api, 1, **query)) == 1
    for query in ({"advertiser": "%"}, {"category": "food"}, {"until": "2026-01-01"}):
        assert api.get(URL, params=query).json()["items"] == []


def test_what_was_shown_a_year_ago_for_the_last_time_is_gone(
    api: TestClient[Litestar], settings: Settings, fox: Advertised
) -> None:
    now_ms = time.time_ns() // 1_000_000
    show(settings.database_url, uuid4(), shown_ad(fox), at_ms=now_ms - YEAR_MS)
    assert api.get(URL).json()["items"] == []
    show(settings.database_url, uuid4(), shown_ad(fox))

    (ad,) = found(api, 1)

    assert ad["creative_id"] == str(fox.creative_id)
    assert ad["reach"] == 0
    assert api.get(URL, params={"cursor": "forged"}).json()["code"] == "cursor_invalid"


def test_what_was_rejected_has_no_content_but_the_reasons(
    api: TestClient[Litestar], settings: Settings, fox: Advertised, log: Log
) -> None:
    show(settings.database_url, uuid4(), shown_ad(fox))
    found(api, 1)
    creative = log.find(Creative, fox.creative_id)
    assert creative is not None

    creative.reject(("deceptive",), "It is no toy.", by=UUID(int=9), at=NOON)
    log.save(creative)

    until = time.monotonic() + 10
    while (ad := found(api, 1)[0])["content"] is not None:
        assert time.monotonic() < until
    assert ad["removed_for"] == ["deceptive"]


@pytest.mark.parametrize(
    ("reach", "told"), [(0, 0), (9, 0), (10, 10), (19, 19), (129, 120), (98_765, 98_000)]
)
def test_reach_is_told_in_two_digits_and_not_of_a_few(reach: int, told: int) -> None:
    assert rounded(reach) == told


def test_who_sells_places_is_told_to_who_buys_them(api: TestClient[Litestar]) -> None:
    ads = api.get("/ads.txt")
    apps = api.get("/app-ads.txt")
    sellers = api.get("/sellers.json")

    assert ads.headers["content-type"].startswith("text/plain")
    assert "127.0.0.1, 1, DIRECT" in ads.text.splitlines()
    assert apps.text == ads.text
    assert sellers.json()["sellers"][0]["seller_type"] == "PUBLISHER"
