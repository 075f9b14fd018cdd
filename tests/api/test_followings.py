"""How people stand to one another, from the first follow to the block."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.following.aggregate import Following
from myriorama.store.log import Log
from tests.people import Person

People = Callable[[str], Person]


def handles(person: Person, url: str) -> list[str]:
    answer = person.get(url)
    assert answer.status_code == 200, answer.text
    return [somebody["handle"] for somebody in answer.json()["items"]]


def test_who_follows_one_another_is_mutual_until_one_stops(person: People) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")

    for _ in range(2):  # again changes nothing
        assert alice.put("/v1/accounts/bob/follow").status_code == 204
    bob.put("/v1/accounts/ALICE/follow")
    mallory.put("/v1/accounts/alice/follow")

    assert handles(bob, "/v1/accounts/alice/followers") == ["mallory", "bob"]
    assert handles(bob, "/v1/accounts/alice/following") == ["bob"]
    assert handles(alice, "/v1/me/mutuals") == ["bob"]
    assert handles(mallory, "/v1/me/mutuals") == []
    for _ in range(2):
        assert bob.delete("/v1/accounts/alice/follow").status_code == 204
    assert handles(alice, "/v1/me/mutuals") == []
    assert handles(alice, "/v1/accounts/alice/followers") == ["mallory"]


def test_a_block_ends_both_follows_and_hides_each_from_the_other(
    person: People, api: TestClient[Litestar]
) -> None:
    alice, mallory, bob = person("alice"), person("mallory"), person("bob")
    alice.put("/v1/accounts/mallory/follow")
    mallory.put("/v1/accounts/alice/follow")
    mallory.put("/v1/accounts/bob/follow")
    alice.put("/v1/accounts/bob/follow")

    for _ in range(2):
        assert alice.put("/v1/accounts/mallory/block").status_code == 204

    assert handles(bob, "/v1/accounts/alice/followers") == []
    assert handles(bob, "/v1/accounts/mallory/followers") == []
    assert handles(alice, "/v1/me/blocked") == ["mallory"]
    assert handles(mallory, "/v1/me/blocked") == []
    # Mallory is told no more than of an account that never was.
    nobody = mallory.put("/v1/accounts/nobody/follow")
    refused = mallory.put("/v1/accounts/alice/follow")
    assert (refused.status_code, refused.json()["code"]) == (404, "account_not_found")
    assert refused.json()["detail"] == nobody.json()["detail"]
    for hidden in ("followers", "following", "videos"):
        assert mallory.get(f"/v1/accounts/alice/{hidden}").status_code == 404
        assert alice.get(f"/v1/accounts/mallory/{hidden}").status_code == 404
    assert handles(mallory, "/v1/accounts/bob/followers") == ["mallory"]
    assert handles(alice, "/v1/accounts/bob/followers") == ["alice"]
    assert handles(bob, "/v1/accounts/bob/followers") == ["alice", "mallory"]
    assert alice.put("/v1/accounts/mallory/follow").json()["code"] == "blocked_by_you"
    assert api.get("/v1/accounts/alice/videos").status_code == 200


def test_a_block_taken_back_brings_no_follow_back(person: People) -> None:
    alice, bob = person("alice"), person("bob")
    bob.put("/v1/accounts/alice/follow")
    alice.put("/v1/accounts/bob/block")

    for _ in range(2):
        assert alice.delete("/v1/accounts/bob/block").status_code == 204

    assert handles(alice, "/v1/accounts/alice/followers") == []
    assert bob.put("/v1/accounts/alice/follow").status_code == 204
    assert handles(alice, "/v1/accounts/alice/followers") == ["bob"]


def test_a_mute_is_between_me_and_myself(person: People) -> None:
    alice, bob = person("alice"), person("bob")
    alice.put("/v1/accounts/bob/follow")

    assert alice.put("/v1/accounts/bob/mute").status_code == 204

    assert handles(alice, "/v1/me/muted") == ["bob"]
    assert handles(bob, "/v1/me/muted") == []
    assert handles(bob, "/v1/accounts/bob/followers") == ["alice"]
    assert alice.delete("/v1/accounts/bob/mute").status_code == 204
    assert handles(alice, "/v1/me/muted") == []


@pytest.mark.parametrize("relation", ["follow", "block", "mute"])
def test_nobody_relates_to_themselves_or_to_nobody(
    person: People, api: TestClient[Litestar], relation: str
) -> None:
    alice = person("alice")

    itself = alice.put(f"/v1/accounts/alice/{relation}")
    nobody = alice.put(f"/v1/accounts/nobody/{relation}")
    impossible = alice.put(f"/v1/accounts/%20/{relation}")

    assert (itself.status_code, itself.json()["code"]) == (422, "relation_to_oneself")
    assert nobody.json()["code"] == impossible.json()["code"] == "account_not_found"
    assert alice.delete(f"/v1/accounts/alice/{relation}").status_code == 204
    assert alice.delete(f"/v1/accounts/nobody/{relation}").status_code == 404
    assert api.put(f"/v1/accounts/alice/{relation}").status_code == 401


def test_a_list_of_people_goes_on_where_the_page_ended(person: People) -> None:
    alice = person("alice")
    followers = [person(f"bob_{number}") for number in range(3)]
    for bob in followers:
        bob.put("/v1/accounts/alice/follow")

    first = alice.get("/v1/accounts/alice/followers", params={"limit": 2}).json()
    person("late").put("/v1/accounts/alice/follow")
    cursor = {"cursor": first["next_cursor"]}
    rest = alice.get("/v1/accounts/alice/followers", params=cursor).json()

    assert [bob["handle"] for bob in first["items"]] == ["bob_2", "bob_1"]
    assert [bob["handle"] for bob in rest["items"]] == ["bob_0"]
    assert rest["next_cursor"] is None
    elsewhere = alice.get("/v1/accounts/bob_0/followers", params=cursor)
    assert elsewhere.json()["code"] == "cursor_invalid"


def test_nobody_follows_past_a_block_that_comes_at_the_same_time(person: People, log: Log) -> None:
    alice, mallory = person("alice"), person("mallory")

    with ThreadPoolExecutor(2) as threads:
        for _ in range(6):
            alice.delete("/v1/accounts/mallory/block")
            block = threads.submit(alice.put, "/v1/accounts/mallory/block")
            follow = threads.submit(mallory.put, "/v1/accounts/alice/follow")
            assert block.result().status_code == 204
            assert follow.result().status_code in {204, 404}

            following = log.find(Following, Following.identify(mallory.account_id))
            assert following is None or not following.is_following(alice.account_id)
