"""What viewers chose of ads, in the pages that they are given next."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.line_item.terms import Targeting
from myriorama.processes import invite
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.feed_ads import Advertised, advertised_page, page_of, until
from tests.people import Person, application_form
from tests.publishing import published

People = Callable[[str], Person]


@pytest.fixture
def bob(person: People, log: Log) -> Person:
    """Who looks at a feed of thirty videos."""
    alice, bob = person("alice"), person("bob")
    for number in range(30):
        log.save(published(alice.account_id, caption=f"Number {number}"))
    until(lambda: len(page_of(bob, "kind=latest&limit=100")["items"]) == 30)
    return bob


def adolescent(api: TestClient[Litestar], settings: Settings) -> Person:
    form = application_form("zoe", invite(settings, at=datetime.now(UTC)))
    tokens = api.post("/v1/accounts", json={**form, "age_band": "13-15"}).json()
    return Person(api, "zoe", UUID(tokens["account_id"]), tokens)


@pytest.mark.parametrize("what", ["advertiser", "category"])
def test_what_is_hidden_is_gone_from_the_next_page_and_comes_back_with_a_reset(
    bob: Person, log: Log, settings: Settings, what: str
) -> None:
    Advertised(log).pay_in(settings)
    (ad,) = advertised_page(bob)["ads"]

    assert bob.get(ad["why"]).json()["targeting"] == ["It is for everybody."]
    hidden = bob.post(f"/v1/ads/{ad['ad_decision_id']}/hide", json={"what": what})
    without = [page_of(bob)["ads"] for _ in range(5)]
    bob.delete("/v1/me/ad-preferences")

    assert hidden.status_code == 204
    assert without == [[]] * 5
    assert advertised_page(bob)["ads"]


def test_who_is_young_or_wants_contextual_ads_is_shown_none_by_age(
    bob: Person, api: TestClient[Litestar], log: Log, settings: Settings
) -> None:
    zoe = adolescent(api, settings)
    adults = Advertised(log, targeting=Targeting(age_bands=("18+",)))
    adults.pay_in(settings)
    (ad,) = advertised_page(bob)["ads"]
    assert bob.get(ad["why"]).json()["reasons"] == ["age:18+"]

    bob.patch("/v1/me/ad-preferences", json={"contextual_only": True})

    assert [page_of(who)["ads"] for who in (bob, zoe) for _ in range(5)] == [[]] * 10
    everybody = Advertised(log)
    everybody.pay_in(settings)
    for who in (bob, zoe):
        (ad,) = advertised_page(who)["ads"]
        assert ad["advertiser"]["advertiser_id"] == str(everybody.advertiser.id)
        assert bob.get(ad["why"]).status_code == (200 if who is bob else 404)


def test_an_ad_stops_when_a_cameo_in_it_is_no_longer_granted(
    bob: Person, log: Log, settings: Settings
) -> None:
    fox = Advertised(log)
    fox.pay_in(settings)
    assert advertised_page(bob)["ads"]

    fox.withdraw_grant()

    until(lambda: page_of(bob)["ads"] == [])
    assert [page_of(bob)["ads"] for _ in range(5)] == [[]] * 5
