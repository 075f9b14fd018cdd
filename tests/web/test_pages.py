"""The pages over HTTP: the shell, what fills it, and who sees what."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from uuid import uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.store.log import Log
from myriorama.web.rendering import HTMX_URL, STATIC_URL
from tests.drafts import draft, generation
from tests.people import Person
from tests.publishing import publish
from tests.studio.foreign_media import photo, two_colours

People = Callable[[str], Person]
ATTACK = '<script>alert("fox")</script>'


@pytest.mark.parametrize(
    ("path", "fragment"),
    [
        ("/", "/web/for_you"),
        ("/following", "/web/following"),
        ("/latest", "/web/latest"),
        ("/create?remix_of=1", "/web/create?remix_of=1"),
        ("/accounts/alice", "/web/accounts/alice"),
    ],
)
def test_a_page_is_the_shell_that_opens_its_fragment(
    api: TestClient[Litestar], path: str, fragment: str
) -> None:
    page = api.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert f'data-fragment="{fragment}"' in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_what_the_browser_runs_may_be_kept_for_good(api: TestClient[Litestar]) -> None:
    shell = api.get("/").text

    for url in (f"{STATIC_URL}/page.js", f"{STATIC_URL}/page.css", f"{HTMX_URL}/htmx.min.js"):
        assert url in shell
        answer = api.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert api.get(f"{STATIC_URL}/../pages.py").status_code == 404
    assert api.get(f"{STATIC_URL}/%2e%2e/pages.py").status_code == 404


@pytest.mark.parametrize("path", ["following", "latest", "create", "saved", "cameos", "settings"])
def test_a_visitor_is_shown_how_to_come_in(api: TestClient[Litestar], path: str) -> None:
    fragment = api.get(f"/web/{path}")

    assert fragment.status_code == 200
    assert 'data-send="POST /v1/accounts"' in fragment.text
    assert fragment.headers["cache-control"] == "no-store"


def test_who_shows_a_token_that_is_not_valid_is_told_so(api: TestClient[Litestar]) -> None:
    fragment = api.get("/web/following", headers={"Authorization": "Bearer nonsense"})

    assert fragment.status_code == 401


def test_the_feed_shows_whom_one_follows_and_says_what_is_generated(
    person: People, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    empty = bob.get("/web/following").text
    publish(log, alice.account_id, ATTACK)
    bob.put("/v1/accounts/alice/follow")

    feed = bob.get("/web/following").text

    assert "Nothing here yet" in empty
    assert "@alice" in feed
    assert "AI generated" in feed
    assert "data-view-token=" in feed
    assert ATTACK not in feed
    assert escape(ATTACK, quote=False).replace('"', "&#34;") in feed


def test_a_feed_goes_on_where_it_ended_until_all_was_shown(person: People, log: Log) -> None:
    alice = person("alice")
    for number in range(8):
        publish(log, alice.account_id, f"Fox number {number}.")
    alice.post("/v1/invitations")  # an answer to a command waits until the videos are there

    first = alice.get("/web/latest").text
    (more,) = [part.split('"')[0] for part in first.split('hx-get="') if "cursor=" in part[:40]]
    second = alice.get(more).text

    shown = [number for number in range(8) if f"Fox number {number}." in first]
    assert shown == [2, 3, 4, 5, 6, 7]
    assert [number for number in range(8) if f"Fox number {number}." in second] == [0, 1]
    assert "cursor=" not in second


def test_the_rail_of_a_video_tells_what_one_did_and_offers_no_follow_of_oneself(
    person: People, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    video = publish(log, alice.account_id)
    bob.put(f"/v1/videos/{video.id}/like")

    mine = alice.get(f"/web/videos/{video.id}/rail").text
    his = bob.get(f"/web/videos/{video.id}/rail").text

    assert "/follow" not in mine
    assert 'data-toggle="/v1/accounts/alice/follow" aria-pressed="false"' in his
    assert f'data-toggle="/v1/videos/{video.id}/like" aria-pressed="true"' in his
    assert f'data-toggle="/v1/videos/{video.id}/like" aria-pressed="false"' in mine


def test_comments_are_shown_with_their_replies_and_taken_back_by_their_authors(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice, bob = person("alice"), person("bob")
    comments = f"/v1/videos/{publish(log, alice.account_id).id}/comments"
    asked = alice.post(comments, json={"text": ATTACK}).json()["comment_id"]
    bob.post(comments, json={"text": "It jumps again.", "parent_id": asked})

    sheet = alice.get(comments.replace("/v1", "/web")).text
    replies = bob.get(comments.replace("/v1", "/web"), params={"parent_id": asked}).text
    visitors = api.get(comments.replace("/v1", "/web")).text

    assert ATTACK not in sheet
    assert "Show 1 reply" in sheet
    assert f'data-do="DELETE {comments}/{asked}"' in sheet
    assert "It jumps again." in replies
    assert "Sign in to comment" in visitors
    assert "data-do=" not in visitors


def test_what_is_not_there_is_said_on_the_page(person: People, log: Log) -> None:
    alice, mallory = person("alice"), person("mallory")
    hidden = publish(log, alice.account_id, visibility="followers")

    answers = [
        mallory.get(f"/web/{path}")
        for path in ("accounts/nobody", f"videos/{hidden.id}", f"videos/{uuid4()}")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert "There is no such account." in answers[0].text
    assert all("There is no such video." in answer.text for answer in answers[1:])


def test_an_account_shows_its_videos_and_whether_one_follows_it(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice, bob = person("alice"), person("bob")
    publish(log, alice.account_id, "A fox jumps.")
    bob.put("/v1/accounts/alice/follow")

    by_bob = bob.get("/web/accounts/alice").text
    by_alice = alice.get("/web/accounts/alice").text
    by_visitor = api.get("/web/accounts/alice").text

    assert all("A fox jumps." in page for page in (by_bob, by_alice, by_visitor))
    assert 'data-toggle="/v1/accounts/alice/follow" aria-pressed="true"' in by_bob
    assert "/follow" not in by_alice + by_visitor


def test_where_videos_are_made_one_sees_what_is_left_in_the_making_and_drafted(
    person: People, log: Log
) -> None:
    alice = person("alice")
    made = draft(log, alice.account_id)
    queued = generation(alice.account_id)
    log.save(queued)
    source = publish(log, alice.account_id)
    alice.post("/v1/invitations")  # an answer to a command waits until all is there

    page = alice.get("/web/create", params={"remix_of": str(source.id)})

    assert page.status_code == 200, page.text
    assert "300 of 300 seconds left" in page.text
    assert f'data-events="/v1/generations/{queued.id}/events"' in page.text
    assert f'data-do="DELETE /v1/drafts/{made}"' in page.text
    assert f'name="remix_of" value="{source.id}"' in page.text


def test_pages_of_ones_own_show_what_one_has(person: People, log: Log) -> None:
    alice = person("alice")
    video = publish(log, alice.account_id, "A fox jumps.")
    alice.put(f"/v1/videos/{video.id}/bookmark")
    code = alice.post("/v1/invitations").json()["code"]

    settings = alice.get("/web/settings").text

    assert "A fox jumps." in alice.get("/web/saved").text
    assert "Record a cameo" in alice.get("/web/cameos").text
    assert code in settings
    assert "4 left to give" in settings


def test_a_cameo_shows_who_asks_to_cast_it_until_it_is_taken_back(
    person: People, tmp_path: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    with photo(tmp_path / "face.jpg", two_colours(64, 64)).open("rb") as face:
        upload = alice.post("/v1/uploads", files={"file": face}, data={"purpose": "image"}).json()
    form = {"name": "Dancer", "audience": "approved", "face_upload_id": upload["upload_id"]}
    cameo = f"/v1/cameos/{alice.post('/v1/cameos', json=form).json()['cameo_id']}"
    bob.post(f"{cameo}/requests", json={"message": "For a film of foxes."})

    asked = alice.get("/web/cameos").text
    alice.put(f"{cameo}/permissions/{bob.account_id}", json={"verdict": "granted"})
    granted = alice.get("/web/cameos").text
    casting = bob.get("/web/create").text
    alice.delete(cameo)

    assert "For a film of foxes." in asked
    assert f'data-do="PUT {cameo}/permissions/{bob.account_id}"' in asked
    assert "For a film of foxes." not in granted
    assert "Dancer" in casting
    assert "Dancer" not in alice.get("/web/cameos").text
    assert "Dancer" not in bob.get("/web/create").text
