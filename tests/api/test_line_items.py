"""Campaigns and line items over HTTP: opened, edited, paused, and shown to their members."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.advertising import advertiser, creative
from tests.api.advertised import advertised, with_scopes
from tests.api.test_advertisers import refusal
from tests.people import Person

BIDDER = "https://bidder.example.com/openrtb2"
NOON = "2026-11-22T12:00:00Z"
CAMPAIGN = {"name": "Spring", "objective": "visits", "starts_at": NOON}
BID: dict[str, Any] = {
    "name": "Berlin",
    "kind": "cpm",
    "bid_micros": 4_200_000,
    "daily_budget_micros": 10_000_000,
    "lifetime_budget_micros": 100_000_000,
    "starts_at": NOON,
    "hours": "0" * 8 + "1" * 160,
    "targeting": {"countries": ["DE"], "age_bands": ["18+"], "interests": ["claymation"]},
    "caps": [{"count": 3, "window_s": 86_400}],
    "suitability": {"tier": "limited", "blocked_keywords": ["war"]},
}


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings) -> Person:
    return with_scopes(person("alice"), settings, Scope.ADVERTISER)


@pytest.fixture
def campaign_url(alice: Person, log: Log) -> str:
    hers = advertiser(alice.account_id)
    log.save(hers)
    answer = alice.post(f"/v1/advertisers/{hers.id}/campaigns", json=CAMPAIGN)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


def opened(alice: Person, campaign_url: str, **differing: Any) -> str:
    answer = alice.post(f"{campaign_url}/line-items", json={**BID, **differing})
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


def test_a_campaign_is_edited_paused_and_completed(alice: Person, campaign_url: str) -> None:
    shown = alice.get(campaign_url)
    assert (shown.json()["state"], shown.json()["budget_micros"]) == ("active", None)

    edit = {"budget_micros": 5_000_000, "ends_at": "2026-12-24T00:00:00Z"}
    edited = alice.patch(campaign_url, json=edit, headers={"If-Match": shown.headers["etag"]})
    alice.post(f"{campaign_url}/pause")
    paused = alice.get(campaign_url).json()
    alice.post(f"{campaign_url}/resume")
    alice.post(f"{campaign_url}/complete")

    assert edited.status_code == 200
    assert (paused["state"], paused["budget_micros"]) == ("paused", 5_000_000)
    assert paused["ends_at"] == "2026-12-24T00:00:00Z"
    assert alice.get(campaign_url).json()["state"] == "completed"
    assert refusal(alice.post(f"{campaign_url}/resume")) == (409, "campaign_over")
    assert refusal(alice.post(f"{campaign_url}/line-items", json=BID)) == (409, "campaign_over")


def test_a_line_item_is_shown_as_it_was_opened(alice: Person, campaign_url: str) -> None:
    url = opened(alice, campaign_url)

    shown = alice.get(url).json()

    for name, value in BID.items():
        assert shown[name] == value or shown[name] | value == shown[name], name
    assert (shown["state"], shown["category"], shown["pacing"]) == ("draft", "toys", "even")
    assert alice.get(f"{campaign_url}/line-items").json()["items"] == [shown]


def test_what_is_over_is_completed_until_it_has_a_later_end(
    alice: Person, campaign_url: str, log: Log
) -> None:
    hers = alice.get(campaign_url).json()["advertiser_id"]
    shown = creative(UUID(hers))
    shown.submit([], by=alice.account_id, at=datetime.now(UTC))
    log.save(shown)
    url = opened(alice, campaign_url, creative_ids=[str(shown.id)])

    assert alice.post(f"{url}/submit").json()["state"] == "active"
    alice.patch(url, json={"ends_at": "2026-11-22T12:00:01Z"})
    over = alice.get(url).json()["state"]
    alice.patch(url, json={"ends_at": None})

    assert over == "completed"
    assert alice.get(url).json()["state"] == "active"


def test_lists_come_in_pages(alice: Person, campaign_url: str) -> None:
    urls = [opened(alice, campaign_url, name=name) for name in ("one", "two", "three")]

    first = alice.get(f"{campaign_url}/line-items", params={"limit": 2}).json()
    rest = {"limit": 2, "cursor": first["next_cursor"]}
    second = alice.get(f"{campaign_url}/line-items", params=rest).json()

    listed = [item["line_item_id"] for page in (first, second) for item in page["items"]]
    assert [f"/v1/line-items/{each}" for each in listed] == urls
    assert second["next_cursor"] is None


def test_what_is_edited_changes_and_the_rest_stays(alice: Person, campaign_url: str) -> None:
    url = opened(alice, campaign_url)
    read = alice.get(url)

    edit = {"bid_micros": 5_000_000, "hours": None, "targeting": {"platforms": ["ios"]}}
    answer = alice.patch(url, json=edit, headers={"If-Match": read.headers["etag"]})
    again = alice.patch(url, json=edit, headers={"If-Match": read.headers["etag"]})

    now = alice.get(url)
    assert answer.status_code == 200
    assert refusal(again) == (412, "precondition_failed")
    assert answer.headers["etag"] == now.headers["etag"]
    changed = {name for name, value in now.json().items() if value != read.json()[name]}
    assert changed == {"bid_micros", "hours", "targeting"}


def test_a_bidder_is_set_shown_changed_and_taken_away(alice: Person, campaign_url: str) -> None:
    url = opened(alice, campaign_url, bidder=BIDDER)
    as_opened = alice.get(url)
    shown = [as_opened.json()["bidder"]]

    for bidder in (f"{BIDDER}/v2", None, BIDDER):
        answer = alice.patch(url, json={"bidder": bidder})
        assert answer.status_code == 200, answer.text
        shown.append(alice.get(url).json()["bidder"])
    alice.patch(url, json={"bid_micros": 5_000_000})
    kept = alice.get(url).json()
    late = {"If-Match": as_opened.headers["etag"]}
    conflict = alice.patch(url, json={"bidder": None}, headers=late)

    assert shown == [BIDDER, f"{BIDDER}/v2", None, BIDDER]
    assert (kept["bid_micros"], kept["bidder"]) == (5_000_000, BIDDER)
    assert refusal(conflict) == (412, "precondition_failed")
    assert alice.get(f"{campaign_url}/line-items").json()["items"][0]["bidder"] == BIDDER


def test_a_bidder_that_cannot_be_leaves_the_line_item_as_it_is(
    alice: Person, campaign_url: str
) -> None:
    url = opened(alice, campaign_url, bidder=BIDDER)
    by_click = opened(alice, campaign_url, kind="cpc")
    before = [alice.get(each).json() for each in (url, by_click)]

    inside = alice.patch(url, json={"bidder": "https://10.0.0.1/"})
    by_name = alice.patch(url, json={"bidder": "https://localhost/"})
    for_clicks = alice.patch(by_click, json={"bidder": BIDDER})

    assert {refusal(each) for each in (inside, by_name, for_clicks)} == {(422, "bidder_invalid")}
    assert [alice.get(each).json() for each in (url, by_click)] == before


def test_nobody_else_names_or_sees_a_bidder(
    alice: Person, campaign_url: str, person: Callable[[str], Person], settings: Settings
) -> None:
    url = opened(alice, campaign_url, bidder=BIDDER)
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)

    answers = [mallory.patch(url, json={"bidder": "https://mallory.example/"}), mallory.get(url)]

    assert {refusal(each) for each in answers} == {(404, "line_item_not_found")}
    assert all("bidder.example.com" not in each.text for each in answers)
    assert alice.get(url).json()["bidder"] == BIDDER


@pytest.mark.parametrize(
    ("differing", "status", "code"),
    [
        ({"bid_micros": 999}, 422, "amount_invalid"),
        ({"bid_micros": 0}, 400, "invalid_request"),
        ({"bid_micros": 1.5}, 400, "invalid_request"),
        ({"bid_micros": 2**63}, 400, "invalid_request"),
        ({"daily_budget_micros": 200_000_000}, 422, "budgets_invalid"),
        ({"hours": "1" * 167}, 400, "invalid_request"),
        ({"hours": "0" * 168}, 422, "hours_invalid"),
        ({"starts_at": "2026-11-22T12:00:00"}, 400, "invalid_request"),
        ({"ends_at": NOON}, 422, "flight_invalid"),
        ({"targeting": {"countries": ["Germany"]}}, 400, "invalid_request"),
        ({"targeting": {"interests": ["CATS"]}}, 422, "targeting_invalid"),
        ({"creative_ids": [str(uuid4())]}, 422, "creatives_invalid"),
        ({"bidder": "http://bidder.example.com/"}, 422, "bidder_invalid"),
        ({"bidder": "https://169.254.169.254/latest"}, 422, "bidder_invalid"),
        ({"bidder": "https://bidder.example.com:8443/"}, 422, "bidder_invalid"),
        ({"bidder": "https://alice:secret@bidder.example.com/"}, 422, "bidder_invalid"),
        ({"bidder": "not a URL"}, 422, "bidder_invalid"),
        ({"bidder": BIDDER, "kind": "cpv"}, 422, "bidder_invalid"),
        ({"bidder": ""}, 400, "invalid_request"),
        ({"bidder": f"https://bidder.example.com/{'a' * 512}"}, 400, "invalid_request"),
        ({"bidder": {"url": BIDDER}}, 400, "invalid_request"),
    ],
)
def test_what_no_line_item_can_be_is_refused(
    alice: Person, campaign_url: str, differing: dict[str, Any], status: int, code: str
) -> None:
    answer = alice.post(f"{campaign_url}/line-items", json={**BID, **differing})

    assert refusal(answer) == (status, code)
    assert alice.get(f"{campaign_url}/line-items").json()["items"] == []


def test_another_advertisers_creative_is_not_there(
    alice: Person, campaign_url: str, person: Callable[[str], Person], log: Log
) -> None:
    theirs = advertised(log, person("bob").account_id).creative_id

    answer = alice.post(f"{campaign_url}/line-items", json={**BID, "creative_ids": [str(theirs)]})

    assert refusal(answer) == (422, "creatives_invalid")
