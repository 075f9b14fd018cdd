"""A request that is sent again, for want of an answer, does not happen again."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.api.idempotency import KEY_CHARACTERS_MAX
from myriorama.processes import invite
from myriorama.settings import Settings
from tests.people import Person, application_form


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def told(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def execute(settings: Settings, query: str, *params: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.database_url, autocommit=True) as database:
        cursor = database.execute(query.encode(), params)
        return cursor.fetchall() if cursor.description else []


def test_a_repeated_request_gets_the_first_answer_and_happens_once(
    person: Callable[[str], Person],
) -> None:
    alice = person("alice")

    first = alice.post("/v1/invitations", headers=keyed("8e03978e"))
    again = alice.post("/v1/invitations", headers=keyed('"8e03978e"'))
    other = alice.post("/v1/invitations", headers=keyed("another"))

    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["myriorama-position"] == first.headers["myriorama-position"]
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert "idempotency-replayed" not in first.headers
    assert other.json()["code"] != first.json()["code"]
    assert len(alice.get("/v1/invitations").json()["items"]) == 2


def test_signing_up_twice_with_one_key_opens_one_account_and_leaves_no_token_readable(
    api: TestClient[Litestar], settings: Settings
) -> None:
    form = application_form("alice", invite(settings, at=datetime.now(UTC)))

    first = api.post("/v1/accounts", json=form, headers=keyed("sign-up"))
    again = api.post("/v1/accounts", json=form, headers=keyed("sign-up"))

    assert first.status_code == again.status_code == 201
    assert first.json()["refresh_token"] == again.json()["refresh_token"]
    ((kept,),) = execute(settings, "SELECT answer FROM idempotency_keys")
    assert kept
    assert first.json()["refresh_token"].encode() not in kept
    assert first.json()["access_token"].encode() not in kept


def test_a_key_stands_for_one_request(person: Callable[[str], Person]) -> None:
    alice = person("alice")
    alice.post("/v1/invitations", headers=keyed("k"))

    elsewhere = alice.post("/v1/sessions/refresh", json={"refresh_token": "x"}, headers=keyed("k"))
    with_query = alice.post("/v1/invitations?a=b", headers=keyed("k"))
    with_body = alice.post("/v1/invitations", json={}, headers=keyed("k"))

    for answer in (elsewhere, with_query, with_body):
        assert told(answer) == (422, "idempotency_key_reused")


def test_a_key_belongs_to_who_sends_it(person: Callable[[str], Person]) -> None:
    alice, bob = person("alice"), person("bob")

    hers = alice.post("/v1/invitations", headers=keyed("k"))
    his = bob.post("/v1/invitations", headers=keyed("k"))

    assert hers.status_code == his.status_code == 201
    assert hers.json()["code"] != his.json()["code"]


def test_a_refusal_is_repeated_too(person: Callable[[str], Person]) -> None:
    alice = person("alice")
    for _ in range(5):
        alice.post("/v1/invitations")

    first = alice.post("/v1/invitations", headers=keyed("k"))
    again = alice.post("/v1/invitations", headers=keyed("k"))

    assert told(first) == told(again) == (403, "invitations_spent")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/problem+json"


def test_of_many_at_once_one_happens_and_the_others_are_told_to_wait(
    person: Callable[[str], Person],
) -> None:
    alice = person("alice")
    gate = threading.Barrier(4)

    def attempt(_: int) -> Response:
        gate.wait()
        return alice.post("/v1/invitations", headers=keyed("k"))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(attempt, range(4)))

    assert len(alice.get("/v1/invitations").json()["items"]) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert told(answer) == (409, "request_in_progress")
            assert int(answer.headers["retry-after"]) > 0


def test_a_command_that_never_came_to_the_log_is_applied_by_the_next_attempt(
    settings: Settings, person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    execute(settings, "ALTER TABLE commands RENAME TO commands_out_of_reach")
    fault = alice.post("/v1/invitations", headers=keyed("k"))
    other = alice.post("/v1/invitations?other=request", headers=keyed("k"))
    execute(settings, "ALTER TABLE commands_out_of_reach RENAME TO commands")

    retried = alice.post("/v1/invitations", headers=keyed("k"))

    assert fault.status_code == 500
    assert told(other) == (422, "idempotency_key_reused")
    assert retried.status_code == 201
    assert len(alice.get("/v1/invitations").json()["items"]) == 1


def test_an_answer_is_kept_for_a_day(settings: Settings, person: Callable[[str], Person]) -> None:
    alice = person("alice")
    alice.post("/v1/invitations", headers=keyed("k"))

    kept = execute(
        settings,
        "SELECT expires_at BETWEEN now() + '23 hours' AND now() + '1 day' FROM idempotency_keys",
    )
    execute(settings, "UPDATE idempotency_keys SET expires_at = now()")
    with_body = alice.post("/v1/invitations?other=request", headers=keyed("k"))

    assert kept == [(True,)]
    assert told(with_body) == (409, "already_applied")


def test_what_is_no_key_is_refused(person: Callable[[str], Person]) -> None:
    alice = person("alice")

    for key in ("", " ", "two words", "ä".encode().decode("latin-1"), "k" * 256, "tab\there"):
        refused = alice.post("/v1/invitations", headers={"Idempotency-Key": key.encode("latin-1")})
        assert told(refused) == (422, "idempotency_key_invalid")
    longest = alice.post("/v1/invitations", headers=keyed("k" * KEY_CHARACTERS_MAX))
    assert longest.status_code == 201


def test_a_body_that_is_too_long_is_refused_before_it_is_remembered(
    api: TestClient[Litestar], settings: Settings
) -> None:
    refused = api.post("/v1/sessions", json={"name": "a" * 70_000}, headers=keyed("k"))

    assert told(refused) == (413, "body_too_large")
    assert execute(settings, "SELECT count(*) FROM idempotency_keys") == [(0,)]
