"""The feed, as those who scroll it see it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.video.aggregate import Video
from myriorama.application.followings import Followings
from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish

People = Callable[[str], Person]


def settle(person: Person) -> None:
    """Wait until what was recorded by now can be read: as every command does, so does this."""
    assert person.patch("/v1/me", json={"bio": str(datetime.now(UTC))}).status_code == 200


def page(person: Person, **params: Any) -> dict[str, Any]:
    response = person.get("/v1/feed", params=params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def captions(person: Person, kind: str) -> list[str]:
    return [item["caption"] for item in page(person, kind=kind, limit=100)["items"]]


@pytest.fixture
def followings(log: Log) -> Followings:
    return Followings(log)


def test_a_feed_shows_what_is_published_newest_first_as_cards(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    Followings(log).follow(bob.account_id, "alice", at=datetime.now(UTC))
    videos = [publish(log, alice.account_id, f"Number {n}") for n in range(3)]
    settle(bob)

    answer = page(bob, kind="following")

    assert [item["video_id"] for item in answer["items"]] == [str(v.id) for v in videos[::-1]]
    assert answer["next_cursor"] is None
    assert UUID(answer["decision_id"]).version == 7
    card = answer["items"][0]
    assert card["author"] == {
        "account_id": str(alice.account_id),
        "handle": "alice",
        "display_name": "alice",
    }
    assert card["counts"]["views"] == 0
    assert card["video_url"].startswith("/media/videos/")
    assert len(card["view_token"]) == 72


def test_who_may_not_or_does_not_want_to_see_a_video_is_not_shown_it(
    person: People, log: Log, followings: Followings
) -> None:
    alice, bob = person("alice"), person("bob")
    publish(log, alice.account_id, "for everybody", "public")
    publish(log, alice.account_id, "for followers", "followers")
    publish(log, alice.account_id, "for who has the link", "link")
    settle(alice)

    def seen() -> tuple[list[str], list[str]]:
        return captions(bob, "following"), captions(bob, "latest")

    everything = ["for followers", "for everybody"]
    assert seen() == ([], ["for everybody"])
    assert captions(alice, "following") == everything

    steps: list[tuple[Callable[..., None], tuple[list[str], list[str]]]] = [
        (followings.follow, (everything, ["for everybody"])),
        (followings.mute, ([], [])),
        (followings.unmute, (everything, ["for everybody"])),
        (followings.block, ([], [])),
        (followings.unblock, ([], ["for everybody"])),
    ]
    for command, expected in steps:
        command(bob.account_id, "alice", at=datetime.now(UTC))
        settle(bob)
        assert seen() == expected, command

    followings.follow(bob.account_id, "alice", at=datetime.now(UTC))
    followings.block(alice.account_id, "bob", at=datetime.now(UTC))
    settle(alice)
    assert seen() == ([], [])


def test_what_an_author_changes_or_deletes_is_changed_or_gone_in_the_next_page(
    person: People, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    first, second = (
        publish(log, alice.account_id, "first"),
        publish(log, alice.account_id, "second"),
    )
    settle(alice)
    assert captions(bob, "latest") == ["second", "first"]

    edit(log, first.id, caption="first of all", visibility="public")
    edit(log, second.id, caption="second", visibility="link")
    settle(alice)
    assert captions(bob, "latest") == ["first of all"]

    edit(log, second.id, caption="second", visibility="public")
    delete(log, first.id)
    settle(alice)
    assert captions(bob, "latest") == ["second"]

    alice.patch("/v1/me", json={"display_name": "Alice L."})
    assert page(bob, kind="latest")["items"][0]["author"]["display_name"] == "Alice L."


def test_pages_follow_one_another_without_repeating_while_others_publish(
    person: People, log: Log
) -> None:
    alice = person("alice")
    before = [publish(log, alice.account_id) for _ in range(7)]
    settle(alice)

    cursor, seen = None, list[str]()
    while True:
        place: dict[str, Any] = {"cursor": cursor} if cursor else {}
        answer = page(alice, kind="latest", limit=2, **place)
        seen += [item["video_id"] for item in answer["items"]]
        publish(log, alice.account_id)
        settle(alice)
        cursor = answer["next_cursor"]
        if cursor is None:
            break

    assert seen == [str(video.id) for video in reversed(before)]


def test_a_cursor_is_good_for_the_viewer_and_the_feed_it_was_given_for(
    person: People, log: Log
) -> None:
    alice, mallory = person("alice"), person("mallory")
    for _ in range(2):
        publish(log, alice.account_id)
    settle(alice)
    cursor = page(alice, kind="latest", limit=1)["next_cursor"]

    replayed = [page(alice, kind="latest", limit=1, cursor=cursor)["items"] for _ in range(2)]
    refused = [
        mallory.get("/v1/feed", params={"kind": "latest", "cursor": cursor}),
        alice.get("/v1/feed", params={"kind": "following", "cursor": cursor}),
        alice.get("/v1/feed", params={"kind": "latest", "cursor": f"A{cursor[1:]}A"}),
    ]

    assert replayed[0][0]["video_id"] == replayed[1][0]["video_id"]
    assert [answer.status_code for answer in refused] == [422, 422, 422]
    assert {answer.json()["code"] for answer in refused} == {"cursor_invalid"}


def test_the_feed_is_for_who_is_signed_in_and_its_page_is_described(
    api: TestClient[Litestar], person: People
) -> None:
    alice = person("alice")

    assert api.get("/v1/feed").status_code == 401
    assert alice.get("/v1/feed", params={"kind": "everything"}).status_code == 400
    described = alice.get("/schema/openapi.json").json()["paths"]["/v1/feed"]["get"]
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("FeedPage")


def edit(log: Log, video_id: UUID, *, caption: str, visibility: Any) -> None:
    video = log.find(Video, video_id)
    assert video is not None
    video.edit(
        caption=caption,
        visibility=visibility,
        remixable=True,
        by=video.author_id,
        at=datetime.now(UTC),
    )
    log.save(video)


def delete(log: Log, video_id: UUID) -> None:
    video = log.find(Video, video_id)
    assert video is not None
    video.delete(by=video.author_id, as_moderator=False, at=datetime.now(UTC))
    log.save(video)
