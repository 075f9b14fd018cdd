"""The ranked feeds, as those who scroll them see them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.video.aggregate import Video
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.test_feed import delete
from tests.authors import open_account
from tests.people import Person
from tests.publishing import publish

pytestmark = pytest.mark.usefixtures("ranked")

People = Callable[[str], Person]
LATE_S = 20.0

FOURTH = """
    SELECT ranking -> 'order' -> 3 ->> 'video' FROM slates
    WHERE decision_id = %s AND ranking IS NOT NULL
"""


def settle(person: Person) -> None:
    """Wait until what was recorded by now can be read, and is ranked by."""
    assert person.patch("/v1/me", json={"bio": str(datetime.now(UTC))}).status_code == 200


def page(person: Person, kind: str = "for_you", **params: Any) -> dict[str, Any]:
    response = person.get("/v1/feed", params={"kind": kind, **params})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["video_id"] for item in answer["items"]]


def scrolled(person: Person, limit: int, kind: str = "for_you") -> list[str]:
    """Follow the cursors to the end."""
    shown, cursor = list[str](), None
    while True:
        place: dict[str, Any] = {"cursor": cursor} if cursor else {}
        answer = page(person, kind, limit=limit, **place)
        shown += ids(answer)
        cursor = answer["next_cursor"]
        if cursor is None:
            return shown


def eight_at_once(person: Person, **params: Any) -> list[dict[str, Any]]:
    """Ask for the same page on eight devices."""
    with ThreadPoolExecutor(8) as devices:
        asked = [devices.submit(page, person, **params) for _ in range(8)]
        return [answer.result() for answer in asked]


@pytest.fixture
def videos(person: People, log: Log) -> list[Video]:
    """Ninety videos of thirty people, none of whom the tests are about."""
    authors = [open_account(log, f"author_{n}") for n in range(30)]
    subjects = ("clay bird", "paper boat", "tin robot", "moss garden", "glass whale")
    made = [publish(log, authors[n % 30], f"A {subjects[n % 5]} number {n}") for n in range(90)]
    settle(person("carol"))
    return made


def test_a_newcomer_is_shown_what_there_is_ranked_and_nothing_twice(
    person: People, videos: list[Video]
) -> None:
    shown = scrolled(person("alice"), limit=20)

    assert len(shown) == len(set(shown)) == len(videos)
    assert scrolled(person("alice2"), limit=7, kind="popular")[:3]


@pytest.mark.usefixtures("videos")
def test_pages_of_a_slate_share_its_decision_and_the_same_cursor_gives_the_same_page(
    person: People,
) -> None:
    alice = person("alice")
    first = page(alice, limit=10)

    second, again = (page(alice, limit=10, cursor=first["next_cursor"]) for _ in range(2))

    assert first["decision_id"] == second["decision_id"]
    assert ids(second) == ids(again)
    assert not set(ids(first)) & set(ids(second))
    assert first["degraded"] == "no model"


@pytest.mark.usefixtures("videos")
def test_what_is_deleted_blocked_or_muted_after_the_slate_was_decided_is_not_on_its_pages(
    person: People, log: Log
) -> None:
    alice = person("alice")
    first = page(alice, limit=10)
    coming = ids(page(alice, limit=10, cursor=first["next_cursor"]))

    delete(log, UUID(coming[0]))
    settle(alice)

    after = ids(page(alice, limit=10, cursor=first["next_cursor"]))
    assert after[:9] == coming[1:]
    assert len(after) == 10


@pytest.mark.usefixtures("videos")
def test_a_cursor_that_is_broken_foreign_or_of_another_feed_is_refused(
    person: People,
) -> None:
    alice, mallory = person("alice"), person("mallory")
    cursor = page(alice, limit=10)["next_cursor"]

    for who, kind, given in (
        (mallory, "for_you", cursor),
        (alice, "popular", cursor),
        (alice, "latest", cursor),
        (alice, "for_you", cursor[:-3] + "abc"),
        (alice, "for_you", "nonsense"),
    ):
        answer = who.get("/v1/feed", params={"kind": kind, "cursor": given})

        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


def test_the_viewer_is_told_why_a_video_was_shown_and_nobody_else(
    person: People, videos: list[Video]
) -> None:
    alice, mallory, liked = person("alice"), person("mallory"), videos[40].id
    assert mallory.put(f"/v1/videos/{liked}/like").status_code == 204
    settle(mallory)
    answer = page(alice, limit=60)
    path = f"/v1/feed/{answer['decision_id']}/why/{liked}"

    why = alice.get(path)

    assert why.status_code == 200, why.text
    told = why.json()
    assert told["feed"] == "for_you"
    assert told["sources"]
    assert 1 <= len(told["moved_by"]) <= 3
    for moved in told["moved_by"]:
        way = "up" if moved["by"] > 0 else "down"
        assert moved["meaning"].startswith(f"It was moved {way} by ")
    assert told["policy"] == "default-3"
    assert told["model"] == "heuristic-1"
    for who, other in (
        (mallory, path),
        (alice, f"/v1/feed/{uuid4()}/why/{liked}"),
        (alice, f"/v1/feed/{answer['decision_id']}/why/{uuid4()}"),
    ):
        assert who.get(other).status_code == 404
    latest = page(alice, "latest", limit=5)
    plain = alice.get(f"/v1/feed/{latest['decision_id']}/why/{ids(latest)[0]}")
    assert plain.status_code == 200, plain.text
    assert (plain.json()["feed"], plain.json()["moved_by"]) == ("latest", [])


@pytest.mark.usefixtures("videos")
def test_why_answers_for_what_a_page_has_shown_and_not_for_the_rest_of_the_slate(
    person: People, pool: Pool
) -> None:
    alice = person("alice")
    first = page(alice, limit=3)
    why = f"/v1/feed/{first['decision_id']}/why"
    assert alice.get(f"{why}/{ids(first)[0]}").status_code == 200
    with pool.connection() as connection:
        (fourth,) = connection.execute(FOURTH, (UUID(first["decision_id"]),)).fetchone() or ("",)

    before = alice.get(f"{why}/{fourth}")
    second = page(alice, limit=3, cursor=first["next_cursor"])
    after = alice.get(f"{why}/{fourth}")

    assert (before.status_code, before.json()["code"]) == (404, "video_not_served")
    assert ids(second)[0] == fourth
    assert after.status_code == 200


def test_see_less_acts_on_the_next_page_and_so_does_a_block(person: People, log: Log) -> None:
    others = [open_account(log, f"author_{n}") for n in range(3)]
    authors = [person("mallory").account_id, *others]
    for number in range(60):
        publish(log, authors[number % 4], f"A clay bird number {number}")
    alice = person("alice")
    first = page(alice, limit=10)
    second = page(alice, limit=10, cursor=first["next_cursor"])
    assert second["decision_id"] == first["decision_id"]

    assert alice.put("/v1/accounts/mallory/block").status_code < 300

    after = page(alice, limit=10, cursor=first["next_cursor"])
    assert {item["author"]["handle"] for item in after["items"]} == {
        f"author_{n}" for n in range(3)
    }

    assert alice.post("/v1/feed/less", json={"video_id": ids(after)[0]}).status_code == 204

    anew = page(alice, limit=10, cursor=after["next_cursor"])
    assert anew["decision_id"] != after["decision_id"]
    assert not set(ids(anew)) & {*ids(first), *ids(after)}


def test_five_hundred_are_scrolled_and_none_comes_twice(person: People, log: Log) -> None:
    authors = [open_account(log, f"author_{n}") for n in range(40)]
    for number in range(520):
        publish(log, authors[number % 40], f"A subject {number % 23}, number {number}")
    alice = person("alice")
    settle(alice)

    shown = scrolled(alice, limit=20)

    assert len(shown) == len(set(shown)) == 520


@pytest.mark.usefixtures("videos")
def test_two_devices_that_take_turns_are_shown_nothing_twice(person: People) -> None:
    alice = person("alice")
    shown, cursors = list[str](), list[str | None]([None, None])

    for turn in range(10):
        cursor = cursors[turn % 2]
        place: dict[str, Any] = {"cursor": cursor} if cursor else {}
        answer = page(alice, limit=10, **place)
        shown += ids(answer)
        cursors[turn % 2] = answer["next_cursor"]

    assert len(shown) == len(set(shown))
    assert len(shown) >= 80


@pytest.mark.usefixtures("videos")
def test_pages_that_are_asked_for_at_once_have_nothing_in_common(person: People) -> None:
    alice = person("alice")

    answers = eight_at_once(alice, limit=10)

    shown = [video_id for answer in answers for video_id in ids(answer)]
    assert len(shown) == len(set(shown)) == 80


@pytest.mark.usefixtures("videos")
def test_who_takes_back_what_they_said_is_shown_the_page_of_before(person: People) -> None:
    alice = person("alice")
    cursor = page(alice, limit=10)["next_cursor"]
    before = page(alice, limit=10, cursor=cursor)
    assert alice.post("/v1/feed/steer", json={"say": "no paper boats"}).status_code < 300
    assert page(alice, limit=10, cursor=cursor)["decision_id"] != before["decision_id"]

    assert alice.delete("/v1/feed/steer").status_code == 204

    assert ids(page(alice, limit=10, cursor=cursor)) == ids(before)


@pytest.mark.usefixtures("videos")
def test_a_cursor_at_the_end_of_a_slate_gives_all_who_ask_at_once_the_same_page(
    person: People,
) -> None:
    alice = person("alice")
    cursor = page(alice, limit=60)["next_cursor"]

    answers = eight_at_once(alice, limit=10, cursor=cursor)

    assert len({answer["decision_id"] for answer in answers}) == 1
    assert all(ids(answer) == ids(answers[0]) for answer in answers)
    assert len(ids(answers[0])) == 10


@pytest.mark.usefixtures("videos")
def test_what_the_newest_first_has_shown_is_not_in_the_ranked_feed_at_once(person: People) -> None:
    alice = person("alice")
    decided = page(alice, limit=10)

    newest = ids(page(alice, "latest", limit=40))

    after = page(alice, limit=10, cursor=decided["next_cursor"])
    popular = scrolled(alice, limit=20, kind="popular")
    assert not set(newest) & {*ids(after), *popular}
    assert popular
