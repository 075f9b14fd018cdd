"""What trends is what people made something of lately, the same for all who may see it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from litestar import Litestar
from litestar.testing import TestClient

from domain.video.aggregate import Video
from myriorama.api.exploring import DECAY
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish, published

People = Callable[[str], Person]


def explored(who: Person | TestClient[Litestar], **asked: Any) -> dict[str, Any]:
    answer = who.get("/v1/explore", params=asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def ids(page: dict[str, Any]) -> list[str]:
    return [video["video_id"] for video in page["videos"]]


def like(person: Person, video: Video) -> None:
    assert person.put(f"/v1/videos/{video.id}/like").status_code == 204


def remix(log: Log, author: Person, parent: Video) -> Video:
    video = published(author.account_id, caption="Once more", parent=parent)
    log.save(video)
    return video


def test_what_more_people_liked_is_first_for_everybody(
    person: People, api: TestClient[Litestar], log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    fox = publish(log, alice.account_id, "#fox #snow")
    owl = publish(log, alice.account_id, "#owl #snow")
    publish(log, alice.account_id, "what nobody liked")
    like(alice, owl)
    like(alice, fox)
    like(bob, fox)

    page = explored(bob)

    assert ids(page) == [str(fox.id), str(owl.id)]
    assert ids(explored(api)) == ids(explored(alice)) == ids(page)
    assert page["hashtags"] == [
        {"tag": "snow", "videos": 2},
        {"tag": "fox", "videos": 1},
        {"tag": "owl", "videos": 1},
    ]
    bob.delete(f"/v1/videos/{fox.id}/like")
    like(bob, owl)
    assert ids(explored(bob)) == [str(owl.id), str(fox.id)]


def test_what_was_liked_long_ago_counts_for_less(
    person: People, log: Log, settings: Settings
) -> None:
    alice, bob = person("alice"), person("bob")
    old, new = (publish(log, alice.account_id, name) for name in ("old", "new"))
    like(alice, old)
    like(bob, old)
    like(alice, new)
    assert ids(explored(bob)) == [str(old.id), str(new.id)]

    with psycopg.connect(settings.database_url) as connection:
        connection.execute(
            "UPDATE engagement_hours SET hour = hour - 24 WHERE video_id = %s", (old.id,)
        )

    assert ids(explored(bob)) == [str(new.id), str(old.id)]
    assert DECAY[0] == 2 * DECAY[12] == 4 * DECAY[24]


def test_explore_shows_nothing_that_lists_do_not(person: People, log: Log) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    moderator = person("moderator")
    videos = [
        publish(log, alice.account_id, "#public"),
        publish(log, alice.account_id, "#followers", "followers"),
        publish(log, alice.account_id, "#link", "link"),
    ]
    for video in videos:
        like(alice, video)
    bob.put("/v1/accounts/alice/follow")

    assert ids(explored(bob)) == [str(videos[0].id)]
    assert [tag["tag"] for tag in explored(bob)["hashtags"]] == ["public"]
    alice.put("/v1/accounts/mallory/block")
    moderator.put("/v1/accounts/alice/mute")
    for somebody in (mallory, moderator):
        page = explored(somebody)
        assert page["videos"] == page["hashtags"] == page["creators"] == []
    alice.delete(f"/v1/videos/{videos[0].id}")
    assert ids(explored(bob)) == []


def test_no_page_repeats_another_while_others_rise(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    videos = [publish(log, alice.account_id, f"number {n}") for n in range(5)]
    for video in videos:
        like(alice, video)

    first = explored(bob, limit=2)
    for video in videos[:3]:
        like(bob, video)
    second = explored(bob, limit=2, cursor=first["next_cursor"])
    third = explored(bob, limit=2, cursor=second["next_cursor"])

    shown = ids(first) + ids(second) + ids(third)
    assert sorted(shown) == sorted(str(video.id) for video in videos)
    assert third["next_cursor"] is None
    assert second["hashtags"] == second["creators"] == second["lines"] == []


def test_new_creators_and_lines_that_others_remix_are_shown(person: People, log: Log) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    fox = publish(log, alice.account_id, "a fox")
    remix(log, bob, fox)
    remix(log, bob, fox)
    last = remix(log, mallory, remix(log, alice, fox))
    like(mallory, last)

    page = explored(bob)

    assert [somebody["handle"] for somebody in page["creators"]] == ["mallory", "alice"]
    (line,) = page["lines"]
    assert (line["video"]["video_id"], line["remixers"]) == (str(fox.id), 2)
    bob.put("/v1/accounts/mallory/follow")
    assert [somebody["handle"] for somebody in explored(bob)["creators"]] == ["alice"]


def test_whoever_watches_moves_a_video_up(person: People, log: Log, settings: Settings) -> None:
    alice = person("alice")
    fox, owl = (publish(log, alice.account_id, name) for name in ("fox", "owl"))
    like(alice, fox)
    like(alice, owl)
    hour = int((datetime.now(UTC) - timedelta(hours=1)).timestamp()) // 3600

    with psycopg.connect(settings.database_url) as connection:
        for viewers, video in ((3, fox), (2, owl)):
            connection.execute(
                "INSERT INTO view_hours (hour, video_id, viewers) VALUES (%s, %s, %s)",
                (hour, video.id, viewers),
            )

    assert ids(explored(alice)) == [str(fox.id), str(owl.id)]
