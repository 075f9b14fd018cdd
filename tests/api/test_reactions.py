"""Likes, bookmarks and shares: each of them once, and counted exactly."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from litestar import Litestar
from litestar.testing import TestClient

from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish

People = Callable[[str], Person]


def counts(person: Person, url: str) -> dict[str, int]:
    found: dict[str, int] = person.get(url).json()["counts"]
    return {name: number for name, number in found.items() if number}


def test_each_person_counts_once_however_often_they_tap(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"

    with ThreadPoolExecutor(4) as threads:
        taps = list(threads.map(bob.put, [f"{url}/like"] * 6))
    alice.put(f"{url}/like")
    for _ in range(2):
        assert bob.put(f"{url}/bookmark").status_code == 204
        assert bob.post(f"{url}/share").status_code == 204

    assert {tap.status_code for tap in taps} == {204}
    assert counts(bob, url) == {"likes": 2, "bookmarks": 1, "shares": 1}
    assert bob.get(url).json()["viewer"] == {"liked": True, "bookmarked": True, "following": False}
    for _ in range(2):
        assert bob.delete(f"{url}/like").status_code == 204
        assert bob.delete(f"{url}/bookmark").status_code == 204
    assert counts(alice, url) == {"likes": 1, "shares": 1}


def test_bookmarks_are_in_the_order_they_were_kept_and_mine_alone(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    fox, owl, elk = (str(publish(log, alice.account_id).id) for _ in range(3))
    for video_id in (owl, fox, elk):
        bob.put(f"/v1/videos/{video_id}/bookmark")
    bob.delete(f"/v1/videos/{fox}/bookmark")

    first = bob.get("/v1/bookmarks", params={"limit": 1}).json()
    rest = bob.get("/v1/bookmarks", params={"cursor": first["next_cursor"]}).json()

    assert [card["video_id"] for card in first["items"] + rest["items"]] == [elk, owl]
    assert alice.get("/v1/bookmarks").json()["items"] == []


def test_nobody_reacts_to_nothing_or_without_an_account(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice = person("alice")
    url = f"/v1/videos/{publish(log, alice.account_id).id}"

    assert alice.put(f"/v1/videos/{uuid4()}/like").json()["code"] == "video_not_found"
    assert alice.delete(f"/v1/videos/{uuid4()}/like").json()["code"] == "video_not_found"
    assert alice.put(f"/v1/videos/{alice.account_id}/bookmark").status_code == 404
    assert api.put(f"{url}/like").status_code == 401
    assert api.post(f"{url}/share").status_code == 401
