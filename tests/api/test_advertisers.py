"""Advertisers over HTTP: opened, edited, and acted for by those whom their owners named."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.advertised import advertised, with_scopes
from tests.api.routes import BODIES, ROUTES
from tests.people import Person

FORM = {
    "name": "Fox and Sons",
    "website": "shop.example.com",
    "category": "toys",
    "zone": "Europe/Berlin",
}
CAMPAIGN = {"name": "Spring", "objective": "visits", "starts_at": "2026-11-22T12:00:00Z"}


@pytest.fixture
def people(person: Callable[[str], Person], settings: Settings) -> Callable[[str], Person]:
    return lambda handle: with_scopes(person(handle), settings, Scope.ADVERTISER)


def opened(who: Person, **differing: Any) -> str:
    answer = who.post("/v1/advertisers", json={**FORM, **differing})
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_advertiser_is_there_for_who_opened_it(people: Callable[[str], Person]) -> None:
    alice = people("alice")

    url = opened(alice)

    shown = alice.get(url)
    assert shown.json() | FORM == shown.json()
    assert (shown.json()["currency"], shown.json()["caps"]) == ("USD", [])
    (own,) = alice.get("/v1/advertisers").json()
    assert (url, own["role"]) == (f"/v1/advertisers/{own['advertiser_id']}", "owner")
    (member,) = alice.get(f"{url}/members").json()
    assert (member["handle"], member["role"]) == ("alice", "owner")


def test_an_advertiser_is_opened_once_however_often_it_is_sent(
    people: Callable[[str], Person],
) -> None:
    alice = people("alice")
    key = {"Idempotency-Key": str(uuid4())}

    first, again = (alice.post("/v1/advertisers", json=FORM, headers=key) for _ in range(2))

    assert first.json() == again.json()
    assert len(alice.get("/v1/advertisers").json()) == 1


@pytest.mark.parametrize(
    ("differing", "code"),
    [
        ({"website": "10.0.0.1"}, "website_invalid"),
        ({"website": "shop.internal"}, "website_invalid"),
        ({"zone": "Nowhere/Else"}, "zone_unknown"),
        ({"currency": "JPY"}, "currency_unknown"),
        ({"name": "\u200b"}, "advertiser_name_invalid"),
        ({"category": "guns"}, "invalid_request"),
        ({"unheard": 1}, "invalid_request"),
    ],
)
def test_what_no_advertiser_can_be_is_refused(
    people: Callable[[str], Person], differing: dict[str, Any], code: str
) -> None:
    alice = people("alice")

    answer = alice.post("/v1/advertisers", json={**FORM, **differing})

    assert refusal(answer) == (400 if code == "invalid_request" else 422, code)
    assert alice.get("/v1/advertisers").json() == []


def test_an_edit_does_not_overwrite_what_was_not_read(people: Callable[[str], Person]) -> None:
    alice = people("alice")
    url = opened(alice)
    read = alice.get(url).headers["etag"]

    caps = [{"count": 3, "window_s": 86_400}]
    edited = alice.patch(url, json={"caps": caps}, headers={"If-Match": read})
    late = alice.patch(url, json={"name": "Wolf"}, headers={"If-Match": read})

    assert edited.status_code == 200
    assert refusal(late) == (412, "precondition_failed")
    shown = alice.get(url)
    assert (shown.json()["name"], shown.json()["caps"]) == ("Fox and Sons", caps)
    assert shown.headers["etag"] == edited.headers["etag"] != read


def test_members_do_what_their_role_says_until_they_are_removed(
    people: Callable[[str], Person],
) -> None:
    alice, bob, mallory = people("alice"), people("bob"), people("mallory")
    url = opened(alice)
    membership = f"{url}/members/{bob.account_id}"

    assert refusal(bob.get(url)) == (404, "advertiser_not_found")
    alice.put(membership, json={"role": "reader"})
    assert bob.get(url).status_code == 200
    assert refusal(bob.post(f"{url}/campaigns", json=CAMPAIGN)) == (403, "role_too_low")
    alice.put(membership, json={"role": "editor"})
    assert bob.post(f"{url}/campaigns", json=CAMPAIGN).status_code == 201
    assert refusal(bob.put(f"{url}/members/{mallory.account_id}", json={"role": "owner"})) == (
        403,
        "role_too_low",
    )
    assert alice.delete(membership).status_code == 204
    assert refusal(bob.post(f"{url}/campaigns", json=CAMPAIGN)) == (404, "advertiser_not_found")
    assert refusal(alice.delete(f"{url}/members/{alice.account_id}")) == (409, "last_owner")
    assert refusal(alice.put(f"{url}/members/{uuid4()}", json={"role": "reader"})) == (
        404,
        "account_not_found",
    )


def test_anothers_advertiser_is_not_there_on_any_route_and_answers_as_if_it_never_was(
    people: Callable[[str], Person], log: Log
) -> None:
    alice, mallory = people("alice"), people("mallory")
    hers = advertised(log, alice.account_id).ids
    opened(alice)  # whose answer waits until all of this can be read
    nowhere = {name: str(uuid4()) for name in hers}
    told: dict[str, tuple[Any, ...]] = {}

    for route, (scope, _) in ROUTES.items():
        if scope is Scope.ADVERTISER and any(f"{{{name}:" in route for name in hers):
            answers = list[tuple[Any, ...]]()
            for ids in (hers, nowhere):
                method, _, path = route.partition(" ")
                for name, value in {**ids, "account_id": str(mallory.account_id)}.items():
                    path = path.replace(f"{{{name}:uuid}}", value)
                content = {"json": BODIES[route]} if route in BODIES else {}
                problem = mallory.send(method, path, **content).json()
                answers.append((problem["status"], problem["code"], problem["detail"]))
            told[route] = tuple(answers)

    assert len(told) >= 25
    assert {route for route, (hers_, none) in told.items() if hers_ != none} == set()
    assert {answer[0][0] for answer in told.values()} == {404}
