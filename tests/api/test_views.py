"""What apps report as watched, from the feed to the count on the card."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx import Response

from myriorama.feed.view_tokens import VIEW_TOKEN_S, ViewTokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.signing import Signer
from tests.api.test_feed import People, page, settle
from tests.people import Person
from tests.publishing import publish

POLLS_MAX = 500
SLATES = "SELECT decision_id, feed, before IS NULL, video_ids FROM slates ORDER BY position"


def report(
    person: Person, *tokens: str, session: str, sequence: int = 0, ms: int = 900
) -> Response:
    views = [{"view_token": token, "watched_ms": ms, "loops": 0} for token in tokens]
    body = {"session": session, "sequence": sequence, "views": views}
    return person.post("/v1/views", json=body)


def stored(settings: Settings) -> int:
    with psycopg.connect(settings.database_url) as database:
        row = database.execute("SELECT count(*) FROM viewings").fetchone()
    return row[0] if row else 0


@pytest.fixture
def session() -> str:
    return str(uuid4())


def test_watching_a_video_counts_once_a_showing_however_often_it_is_reported(
    person: People, log: Log, session: str
) -> None:
    alice, bob = person("alice"), person("bob")
    publish(log, alice.account_id)
    settle(alice)
    first, second = (page(bob, kind="latest")["items"][0]["view_token"] for _ in range(2))

    for sequence, token in enumerate([first, first, second]):
        answer = report(bob, token, session=session, sequence=sequence)
        assert answer.json() == {"accepted": 1, "duplicate": False}

    assert views_reach(alice, 2)


def test_a_report_sent_again_is_answered_alike_and_stored_once(
    person: People, log: Log, settings: Settings, session: str
) -> None:
    alice = person("alice")
    publish(log, alice.account_id)
    publish(log, alice.account_id)
    settle(alice)
    tokens = [item["view_token"] for item in page(alice, kind="latest")["items"]]

    first = report(alice, *tokens, session=session)
    again = report(alice, *tokens, session=session)
    other = report(alice, *tokens, session=session, ms=901)

    assert first.json() == {"accepted": 2, "duplicate": False}
    assert again.json() == {"accepted": 2, "duplicate": True}
    assert (other.status_code, other.json()["code"]) == (409, "sequence_reused")
    assert stored(settings) == 2


def test_the_session_of_another_is_not_in_the_way(person: People, log: Log, session: str) -> None:
    alice, mallory = person("alice"), person("mallory")
    publish(log, alice.account_id)
    settle(alice)

    for viewer in (mallory, alice):
        token = page(viewer, kind="latest")["items"][0]["view_token"]
        assert report(viewer, token, session=session).json()["duplicate"] is False


def test_one_token_that_is_not_the_viewers_own_refuses_the_whole_report(
    person: People, log: Log, settings: Settings, session: str
) -> None:
    alice, mallory = person("alice"), person("mallory")
    video = publish(log, alice.account_id)
    settle(alice)
    good = page(mallory, kind="latest")["items"][0]["view_token"]
    foreign = page(alice, kind="latest")["items"][0]["view_token"]
    tokens = ViewTokens(Signer(settings.secret.encode()))
    yesterday = int(time.time()) - VIEW_TOKEN_S
    viewer, videos = mallory.account_id.bytes, [video.id.bytes]
    (expired,) = tokens.of_page(viewer, uuid4().bytes, videos, now=yesterday)

    for bad, code in (
        (foreign, "invalid"),
        (f"{good[:-1]}!", "invalid"),
        (expired.decode(), "expired"),
    ):
        refused = report(mallory, good, bad, session=session)
        assert (refused.status_code, refused.json()["code"]) == (422, f"view_token_{code}")
        assert "views[1]" in refused.json()["detail"]
    assert stored(settings) == 0


@pytest.mark.parametrize(
    "wrong", [{"watched_ms": -1}, {"watched_ms": 3_600_001}, {"loops": 1001}, {"colour": "red"}]
)
def test_a_report_out_of_bounds_is_refused(
    person: People, session: str, wrong: dict[str, Any]
) -> None:
    alice = person("alice")
    view = {"view_token": "x", "watched_ms": 1, "loops": 0, **wrong}

    for views in ([view], [], [view] * 51):
        body = {"session": session, "sequence": 0, "views": views}
        assert alice.post("/v1/views", json=body).status_code == 400


def views_reach(person: Person, count: int) -> bool:
    """The counts follow the view log, which no request waits for."""
    shown: Callable[[], int] = lambda: page(person, kind="latest")["items"][0]["counts"]["views"]  # noqa: E731
    return any(shown() == count for _ in range(POLLS_MAX))


def test_the_pages_that_were_served_are_in_the_log(
    person: People, log: Log, settings: Settings, session: str
) -> None:
    alice = person("alice")
    videos = [str(publish(log, alice.account_id).id) for _ in range(5)]
    settle(alice)

    first = page(alice, kind="latest", limit=3)
    second = page(alice, kind="latest", limit=3, cursor=first["next_cursor"])
    empty = page(person("bob"), kind="following")

    assert report(alice, first["items"][0]["view_token"], session=session).is_success
    assert [item["video_id"] for item in first["items"]] == videos[:1:-1]
    assert slates(settings, 3) == [
        (UUID(answer["decision_id"]), feed, top, [UUID(i["video_id"]) for i in answer["items"]])
        for answer, feed, top in (
            (first, "latest", True),
            (second, "latest", False),
            (empty, "following", True),
        )
    ]


def slates(settings: Settings, count: int) -> list[tuple[Any, ...]]:
    """Return the slates in the log once there are so many: no page waits for its slate."""
    with psycopg.connect(settings.database_url, autocommit=True) as database:
        database.execute("LISTEN viewings")
        while len(rows := database.execute(SLATES).fetchall()) < count:
            assert list(database.notifies(timeout=120, stop_after=1)), "no slate comes"
    return rows
