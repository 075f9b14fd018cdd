"""Whoever sends a command again, for its answer was lost, hears what was answered first."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.processes import invite
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.people import PASSWORD, Person, application_form
from tests.publishing import publish

KEY = {"Idempotency-Key": "k"}
PEOPLE = Callable[[str], Person]


@pytest.fixture
def database(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


@contextmanager
def every_answer_lost(database: psycopg.Connection[Any]) -> Generator[None]:
    """Let no answer out for as long as this lasts: whoever should keep it dies of it first."""
    database.execute(
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the process is no more'; END $$;
        CREATE TRIGGER die BEFORE UPDATE OF answer ON idempotency_keys
            FOR EACH ROW WHEN (NEW.answer IS NOT NULL) EXECUTE FUNCTION die()
        """
    )
    yield
    database.execute("DROP FUNCTION die CASCADE")
    database.execute("UPDATE idempotency_keys SET leased_until = now()")


def told(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def recorded(database: psycopg.Connection[Any]) -> int:
    (count,) = database.execute("SELECT count(*) FROM events").fetchone() or (0,)
    return int(count)


def last_event(database: psycopg.Connection[Any], topic: str) -> dict[str, Any]:
    query = """SELECT originator_id, convert_from(state, 'UTF8')::json FROM events
               WHERE topic = %s ORDER BY position DESC LIMIT 1"""
    row = database.execute(query, (topic,)).fetchone()
    assert row
    return {"id": str(row[0]), **row[1]}


def test_who_signed_up_without_hearing_of_it_is_told_who_they_are(
    api: TestClient[Litestar], settings: Settings, database: psycopg.Connection[Any]
) -> None:
    form = application_form("alice", invite(settings, at=datetime.now(UTC)))
    with every_answer_lost(database):
        lost = api.post("/v1/accounts", json=form, headers=KEY)
    events = recorded(database)

    again = api.post("/v1/accounts", json=form, headers=KEY)

    assert (lost.status_code, again.status_code) == (500, 201)
    assert again.json()["account_id"] == last_event(database, "account.opened")["id"]
    assert recorded(database) == events
    assert again.headers["myriorama-position"] == str(events)
    tokens = again.json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert api.get("/v1/me", headers=bearer).json()["handle"] == "alice"
    refreshed = api.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 200


def test_what_was_made_is_made_once_and_has_the_same_name_each_time(
    person: PEOPLE, log: Log, database: psycopg.Connection[Any]
) -> None:
    alice = person("alice")
    video = f"/v1/videos/{publish(log, alice.account_id).id}"
    for path, body, topic, told in (
        ("/v1/generations", {"prompt": "a fox"}, "generation.requested", "generation_id"),
        (f"{video}/comments", {"text": "What a fox!"}, "comment.posted", "comment_id"),
    ):
        key = {"Idempotency-Key": path}
        with every_answer_lost(database):
            assert alice.post(path, json=body, headers=key).status_code == 500
        events = recorded(database)

        again = alice.post(path, json=body, headers=key)
        once_more = alice.post(path, json=body, headers=key)

        assert again.status_code == 201, again.text
        assert again.json()[told] == last_event(database, topic)["id"]
        assert once_more.json() == again.json()
        assert once_more.headers["idempotency-replayed"] == "true"
        assert recorded(database) == events


def test_an_invitation_whose_code_was_lost_is_told_again(
    person: PEOPLE, database: psycopg.Connection[Any]
) -> None:
    alice = person("alice")
    with every_answer_lost(database):
        alice.post("/v1/invitations", headers=KEY)

    waiting = alice.post("/v1/invitations", headers=KEY)
    again = alice.post("/v1/invitations", headers=KEY)

    assert again.status_code == waiting.status_code == 201
    (kept,) = alice.get("/v1/invitations").json()["items"]
    assert again.json()["code"] == kept["code"] == waiting.json()["code"]


def test_what_has_happened_since_changes_no_answer(
    person: PEOPLE, log: Log, database: psycopg.Connection[Any]
) -> None:
    alice, bob = person("alice"), person("bob")
    video = f"/v1/videos/{publish(log, alice.account_id).id}"
    with every_answer_lost(database):
        bob.post(f"{video}/comments", json={"text": "What a fox!"}, headers=KEY)
    comment_id = last_event(database, "comment.posted")["id"]
    assert alice.delete(f"{video}/comments/{comment_id}").status_code == 204
    assert alice.delete(video).status_code == 204
    events = recorded(database)

    again = bob.post(f"{video}/comments", json={"text": "What a fox!"}, headers=KEY)

    assert (again.status_code, again.json()) == (201, {"comment_id": comment_id})
    assert recorded(database) == events


def test_a_refresh_token_that_was_spent_unheard_is_exchanged_for_the_same_again(
    api: TestClient[Litestar], person: PEOPLE, database: psycopg.Connection[Any]
) -> None:
    alice = person("alice")
    spent = {"refresh_token": alice.tokens["refresh_token"]}
    with every_answer_lost(database):
        api.post("/v1/sessions/refresh", json=spent, headers=KEY)

    again = api.post("/v1/sessions/refresh", json=spent, headers=KEY)
    onwards = api.post(
        "/v1/sessions/refresh", json={"refresh_token": again.json()["refresh_token"]}
    )

    assert (again.status_code, onwards.status_code) == (200, 200)


def test_a_lost_answer_lets_nobody_in_who_was_signed_out_since(
    api: TestClient[Litestar], person: PEOPLE, database: psycopg.Connection[Any]
) -> None:
    alice = person("alice")
    credentials = {"name": "alice", "password": PASSWORD}
    with every_answer_lost(database):
        api.post("/v1/sessions", json=credentials, headers=KEY)
    assert alice.delete("/v1/sessions").status_code == 204

    again = api.post("/v1/sessions", json=credentials, headers=KEY).json()

    bearer = {"Authorization": f"Bearer {again['access_token']}"}
    assert api.get("/v1/me", headers=bearer).status_code == 401
    refreshed = api.post("/v1/sessions/refresh", json={"refresh_token": again["refresh_token"]})
    assert refreshed.status_code == 401


def test_a_key_that_is_used_anew_after_its_day_is_told_that_it_was_applied(
    person: PEOPLE, database: psycopg.Connection[Any]
) -> None:
    alice = person("alice")
    alice.post("/v1/invitations", headers=KEY)
    database.execute("UPDATE idempotency_keys SET expires_at = now()")

    anew = alice.post("/v1/invitations", headers=KEY)

    assert told(anew) == (409, "already_applied")
    assert len(alice.get("/v1/invitations").json()["items"]) == 1


def test_where_the_answer_cannot_be_found_out_any_more_it_was_applied(
    person: PEOPLE, database: psycopg.Connection[Any]
) -> None:
    alice = person("alice")
    wish = {"prompt": "a fox"}
    with every_answer_lost(database):
        alice.post("/v1/generations", json=wish, headers=KEY)
    lost_id = last_event(database, "generation.requested")["id"]
    assert alice.post(f"/v1/generations/{lost_id}/cancel").status_code == 204
    while (full := alice.post("/v1/generations", json=wish)).status_code == 201:
        pass
    events = recorded(database)

    again = alice.post("/v1/generations", json=wish, headers=KEY)

    assert told(full) == (429, "too_many_in_flight")
    assert told(again) == (409, "already_applied")
    assert recorded(database) == events
