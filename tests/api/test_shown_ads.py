"""Ads from the viewer's side: why they are shown, and what can be done against them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.api.tokens import Scope
from myriorama.processes import invite
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.advertised import Advertised, advertised, approve, with_scopes
from tests.people import Person, application_form
from tests.showings import show, shown_ad


@pytest.fixture
def bob(person: Callable[[str], Person]) -> Person:
    return person("bob")


@pytest.fixture
def fox(person: Callable[[str], Person], log: Log) -> Advertised:
    return advertised(log, person("alice").account_id)


def of_bob(settings: Settings, bob: Person, fox: Advertised, *reasons: str) -> str:
    shown = shown_ad(fox, reasons=reasons or ("everybody",))
    return f"/v1/ads/{show(settings.database_url, bob.account_id, shown)}"


def test_a_viewer_reads_who_pays_and_whom_the_ad_is_for(
    settings: Settings, bob: Person, fox: Advertised
) -> None:
    ad = of_bob(settings, bob, fox, "country:NZ", "interest:surfing")

    why = bob.get(f"{ad}/why").json()

    assert why["label"] == "Sponsored"
    assert why["payer"] == why["advertiser"]["name"] == "Fox and Sons"
    assert why["advertiser"]["website"] == "shop.example.com"
    assert why["reasons"] == ["country:NZ", "interest:surfing"]
    assert why["targeting"][0] == "It is for people in the country NZ, where you seem to be."
    assert '"surfing"' in why["targeting"][1]
    assert not why["is_contextual"]
    assert why["auction"] == "It won the auction of its place on your page."


def test_what_is_told_can_be_changed_as_it_is_told(
    settings: Settings, bob: Person, fox: Advertised
) -> None:
    ad = of_bob(settings, bob, fox)
    told = bob.get(f"{ad}/why").json()

    answers = [
        bob.send(each["method"], each["path"], json=each["body"]).status_code
        for each in told["change"]
    ]

    assert answers == [204] * 4
    assert told["is_contextual"]
    assert bob.get("/v1/me/ad-preferences").json() == {
        "contextual_only": True,
        "contextual_always": False,
        "hidden_advertisers": [{"advertiser_id": str(fox.advertiser_id), "name": "Fox and Sons"}],
        "hidden_categories": ["toys"],
    }


def test_an_ad_is_told_of_to_nobody_but_who_was_shown_it(
    person: Callable[[str], Person], settings: Settings, bob: Person, fox: Advertised
) -> None:
    mallory = person("mallory")
    ad = of_bob(settings, bob, fox)
    assert bob.get(f"{ad}/why").status_code == 200

    refused = [
        mallory.get(f"{ad}/why"),
        mallory.post(f"{ad}/hide", json={"what": "advertiser"}),
        mallory.post(f"{ad}/report", json={"reason": "other"}),
        bob.get(f"/v1/ads/{uuid4()}/why"),
    ]

    assert {each.json()["code"] for each in refused} == {"shown_ad_not_found"}
    assert {each.status_code for each in refused} == {404}


def test_what_is_reported_waits_for_who_reviews_ads_until_it_is_rejected(
    person: Callable[[str], Person], settings: Settings, bob: Person, fox: Advertised, log: Log
) -> None:
    moderator = with_scopes(person("maud"), settings, Scope.MODERATOR)
    approve(log, fox.creative_id)
    ad = of_bob(settings, bob, fox)

    for note in ("It is no toy.", "Again."):
        report = {"reason": "deception", "note": note}
        assert bob.post(f"{ad}/report", json=report).status_code == 204

    listed = _until_listed(moderator)
    assert [(each["reason"], each["note"], each["reports"]) for each in listed] == [
        ("deception", "It is no toy.", 1)
    ]
    assert listed[0]["creative_id"] == str(fox.creative_id)
    version = listed[0]["version"]
    decision = {"version": version, "reasons": ["deceptive"], "note": "It is no toy."}
    url = f"/v1/ad-review/creatives/{fox.creative_id}/decision"
    assert moderator.post(url, json=decision).status_code == 204
    assert moderator.get("/v1/ad-review/reports").json()["items"] == []


def test_preferences_are_changed_in_part_and_taken_back(bob: Person, fox: Advertised) -> None:
    mine = "/v1/me/ad-preferences"
    hidden = [str(fox.advertiser_id)]

    bob.patch(mine, json={"hidden_categories": ["gambling", "toys"]})
    bob.patch(mine, json={"hidden_advertisers": hidden, "hidden_categories": ["toys"]})
    changed = bob.get(mine).json()
    assert bob.delete(mine).status_code == 204

    assert changed["hidden_categories"] == ["toys"]
    assert [each["advertiser_id"] for each in changed["hidden_advertisers"]] == hidden
    assert bob.get(mine).json() == {
        "contextual_only": False,
        "contextual_always": False,
        "hidden_advertisers": [],
        "hidden_categories": [],
    }


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"hidden_advertisers": [str(UUID(int=5))]}, "advertiser_not_found"),
        ({"hidden_categories": ["weapons"]}, "invalid_request"),
        ({"contextual_only": None}, "invalid_request"),
        ({"contextual": True}, "invalid_request"),
    ],
)
def test_what_is_no_preference_changes_nothing(
    bob: Person, edit: dict[str, object], code: str
) -> None:
    refused = bob.patch("/v1/me/ad-preferences", json={"hidden_categories": ["toys"], **edit})

    assert refused.json()["code"] == code
    assert bob.get("/v1/me/ad-preferences").json()["hidden_categories"] == []


def test_who_is_not_known_to_be_of_age_is_told_that_ads_are_contextual(
    api: TestClient[Litestar], settings: Settings
) -> None:
    form = application_form("zoe", invite(settings, at=datetime.now(UTC)))
    tokens = api.post("/v1/accounts", json={**form, "age_band": "13-15"}).json()
    zoe = Person(api, "zoe", UUID(tokens["account_id"]), tokens)

    told = zoe.get("/v1/me/ad-preferences").json()

    assert told["contextual_always"]
    assert not told["contextual_only"]


def _until_listed(moderator: Person) -> list[dict[str, object]]:
    until = time.monotonic() + 10
    while not (listed := moderator.get("/v1/ad-review/reports").json()["items"]):
        assert time.monotonic() < until
    found: list[dict[str, object]] = listed
    return found
