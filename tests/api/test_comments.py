"""Comments and replies: who writes where, who reads what, and what is left of a deleted one."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from litestar import Litestar
from litestar.testing import TestClient

from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish

People = Callable[[str], Person]


def write(person: Person, url: str, text: str, parent_id: str | None = None) -> str:
    answer = person.post(f"{url}/comments", json={"text": text, "parent_id": parent_id})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["comment_id"])


def read(person: Person, url: str, **params: Any) -> list[dict[str, Any]]:
    answer = person.get(f"{url}/comments", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_replies_stand_under_what_they_answer_even_when_it_goes(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice, bob = person("alice"), person("bob")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"
    question = write(bob, url, "  Which fox?  ")
    reply = write(alice, url, "This one.", question)
    write(bob, url, "Nice.")

    written = read(alice, url)
    assert [(c["text"], c["replies"]) for c in written] == [("Nice.", 0), ("Which fox?", 1)]
    assert alice.get(url).json()["counts"]["comments"] == 3

    assert bob.delete(f"{url}/comments/{question}").status_code == 204
    assert bob.delete(f"{url}/comments/{question}").status_code == 204

    tombstone = read(alice, url)[1]
    assert (tombstone["deleted"], tombstone["text"], tombstone["author"]) == (True, "", None)
    assert [c["comment_id"] for c in read(alice, url, parent_id=question)] == [reply]
    assert api.get(f"{url}/comments", params={"parent_id": question}).json()["items"]
    assert alice.get(url).json()["counts"]["comments"] == 2
    refused = alice.post(f"{url}/comments", json={"text": "So?", "parent_id": question})
    assert refused.json()["code"] == "comment_not_found"


def test_a_comment_is_deleted_by_its_author_or_under_ones_own_video(
    person: People, log: Log
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"
    other = f"/v1/videos/{publish(log, mallory.account_id).id}"
    first, second = write(bob, url, "One."), write(bob, url, "Two.")

    foreign = mallory.delete(f"{url}/comments/{first}")
    smuggled = mallory.delete(f"{other}/comments/{first}")

    assert (foreign.status_code, foreign.json()["code"]) == (403, "may_not_delete_comment")
    assert smuggled.json()["code"] == "comment_not_found"
    assert alice.delete(f"{url}/comments/{first}").status_code == 204
    assert bob.delete(f"{url}/comments/{second}").status_code == 204
    assert all(comment["deleted"] for comment in read(alice, url))
    assert bob.delete(f"{url}/comments/{uuid4()}").status_code == 404


def test_what_cannot_be_a_comment(person: People, log: Log, api: TestClient[Litestar]) -> None:
    alice, bob = person("alice"), person("bob")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"
    other = f"/v1/videos/{publish(log, alice.account_id).id}"
    elsewhere = write(bob, other, "Elsewhere.")

    for text in ("", "x" * 1001):
        assert bob.post(f"{url}/comments", json={"text": text}).status_code == 400
    for text in ("   ", "\x1b[2J"):
        refused = bob.post(f"{url}/comments", json={"text": text})
        assert refused.json()["code"] == "comment_text_invalid"
    for parent_id in (elsewhere, str(uuid4()), str(bob.account_id)):
        refused = bob.post(f"{url}/comments", json={"text": "!", "parent_id": parent_id})
        assert refused.json()["code"] == "comment_not_found"
    assert api.post(f"{url}/comments", json={"text": "!"}).status_code == 401
    assert read(alice, url) == []


def test_who_has_blocked_one_another_read_and_answer_nothing_of_one_another(
    person: People, log: Log
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"
    nice, nasty = write(bob, url, "Nice."), write(mallory, url, "Nasty.")

    mallory.put("/v1/accounts/bob/block")

    assert [c["text"] for c in read(bob, url)] == ["Nice."]
    assert [c["text"] for c in read(mallory, url)] == ["Nasty."]
    assert [c["text"] for c in read(alice, url)] == ["Nasty.", "Nice."]
    refused = bob.post(f"{url}/comments", json={"text": "Why?", "parent_id": nasty})
    assert refused.json()["code"] == "comment_not_found"
    alice.put("/v1/accounts/bob/mute")
    assert [c["text"] for c in read(alice, url)] == ["Nasty."]
    alice.put("/v1/accounts/bob/block")
    assert bob.post(f"{url}/comments", json={"text": "Hey."}).status_code == 404
    assert bob.delete(f"{url}/comments/{nice}").status_code == 204  # what is mine I take back


def test_comments_go_on_where_the_page_ended(person: People, log: Log) -> None:
    alice = person("alice")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"
    for number in range(3):
        write(alice, url, str(number))

    first = alice.get(f"{url}/comments", params={"limit": 2}).json()
    write(alice, url, "late")
    rest = read(alice, url, cursor=first["next_cursor"])

    assert [c["text"] for c in first["items"] + rest] == ["2", "1", "0"]
