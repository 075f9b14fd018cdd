"""The express lane of the feed answers as the route does, or leaves the answer to it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.application.followings import Followings
from myriorama.bootstrap.api import create_api
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.people import Person, sign_up
from tests.publishing import publish

SignUp = Callable[[str], Person]
BY_THE_ROUTE = {"Origin": "https://app.example"}
OF_EACH_REQUEST = {"x-request-id", "ratelimit", "vary"}


@pytest.fixture
def bob(person: SignUp, log: Log) -> Person:
    """Who follows Alice, who has published three videos."""
    alice, bob = person("alice"), person("bob")
    Followings(log).follow(bob.account_id, "alice", at=datetime.now(UTC))
    for number in range(3):
        publish(log, alice.account_id, f"Number {number}")
    assert bob.patch("/v1/me", json={"bio": "here"}).status_code == 200
    return bob


@pytest.fixture
def few(settings: Settings, projecting: None) -> Iterator[TestClient[Litestar]]:
    """The API where five requests a minute are much."""
    assert projecting is None
    strict = replace(settings, requests_per_minute=5)
    with TestClient(create_api(strict), raise_server_exceptions=False) as client:
        yield client


def lasting(answer: Response) -> Mapping[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_EACH_REQUEST}


def without_names(page: dict[str, Any]) -> dict[str, Any]:
    """Return a page without what names this one: its decision, and what is signed for it."""
    items = [{**item, "view_token": len(item["view_token"])} for item in page["items"]]
    return {**page, "items": items, "decision_id": len(page["decision_id"])}


@pytest.mark.parametrize(
    "query", ["kind=following", "kind=latest&limit=2", "kind=following&limit=100"]
)
def test_a_page_is_the_same_on_both_lanes(bob: Person, query: str) -> None:
    express = bob.get(f"/v1/feed?{query}")
    routed = bob.get(f"/v1/feed?{query}", headers=BY_THE_ROUTE)

    assert express.status_code == routed.status_code == 200
    assert without_names(express.json()) == without_names(routed.json())
    assert lasting(express) == lasting(routed)
    assert express.headers["ratelimit"].startswith('"requests";r=')


def test_a_cursor_goes_on_from_either_lane_on_the_other(bob: Person) -> None:
    first = bob.get("/v1/feed?kind=following&limit=2").json()
    onward = f"/v1/feed?kind=following&limit=2&cursor={first['next_cursor']}"

    express, routed = bob.get(onward), bob.get(onward, headers=BY_THE_ROUTE)

    assert without_names(express.json()) == without_names(routed.json())
    assert [item["caption"] for item in express.json()["items"]] == ["Number 0"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("kind=following&cursor=AAAA", 422, "cursor_invalid"),
        ("kind=following&limit=0", 400, "invalid_request"),
        ("kind=following&limit=101", 400, "invalid_request"),
        ("kind=everything", 400, "invalid_request"),
        ("kind=following&after=999999999", 400, "invalid_request"),
    ],
)
def test_what_cannot_be_answered_is_refused_as_the_route_refuses_it(
    bob: Person, query: str, status: int, code: str
) -> None:
    express = bob.get(f"/v1/feed?{query}")
    routed = bob.get(f"/v1/feed?{query}", headers=BY_THE_ROUTE)

    assert (express.status_code, express.json()["code"]) == (status, code)
    assert (routed.status_code, routed.json()["code"]) == (status, code)
    assert express.headers["content-type"] == "application/problem+json"
    assert len(express.headers.get_list("ratelimit")) == 1


@pytest.mark.parametrize("shown", ["Bearer nonsense", "Basic YTpi", ""])
def test_a_stranger_is_refused_on_both_lanes(
    api: TestClient[Litestar], projecting: None, shown: str
) -> None:
    assert projecting is None
    headers = {"Authorization": shown} if shown else {}

    express = api.get("/v1/feed?kind=following", headers=headers)
    routed = api.get("/v1/feed?kind=following", headers={**headers, **BY_THE_ROUTE})

    assert express.status_code == routed.status_code == 401
    assert express.json()["code"] == routed.json()["code"]


def test_whose_session_has_ended_is_known_no_more(bob: Person) -> None:
    assert bob.get("/v1/feed?kind=following").status_code == 200

    bob.delete("/v1/sessions")

    assert bob.get("/v1/feed?kind=following").status_code == 401


def test_pages_count_against_the_limit(few: TestClient[Litestar], settings: Settings) -> None:
    alice = sign_up(few, settings, "alice")

    answers = [alice.get("/v1/feed?kind=following") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].json()["code"] == "too_many_requests"


def test_pages_are_counted_under_the_name_of_the_route(bob: Person) -> None:
    bob.get("/v1/feed?kind=following")

    counted = bob.client.get("/metrics").text

    assert 'method="GET",route="/v1/feed",status="200"' in counted
