"""A video, from the draft to its deletion, and who gets to see it on the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Litestar
from litestar.testing import TestClient

from domain.account.aggregate import Account
from domain.generation.aggregate import Generation
from myriorama.store.log import Log
from tests.drafts import draft, generation
from tests.people import PASSWORD, Person

People = Callable[[str], Person]


def publish(person: Person, log: Log, *, remix_of: str | None = None, **edits: Any) -> str:
    """Publish a new draft; return the video's ID."""
    made = draft(log, person.account_id, remix_of=UUID(remix_of) if remix_of else None)
    answer = person.post("/v1/videos", json={"generation_id": str(made), **edits})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["video_id"])


def shown(person: Person, url: str) -> list[str]:
    answer = person.get(url)
    assert answer.status_code == 200, answer.text
    return [card["video_id"] for card in answer.json()["items"]]


def test_a_published_draft_is_there_for_everybody(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice = person("alice")
    made = draft(log, alice.account_id)

    answer = alice.post("/v1/videos", json={"generation_id": str(made), "caption": "A fox."})

    assert answer.status_code == 201
    video = api.get(answer.headers["location"]).json()
    assert video["video_id"] == answer.json()["video_id"]
    assert video["author"]["handle"] == "alice"
    assert (video["caption"], video["visibility"], video["remixable"]) == ("A fox.", "public", True)
    assert (video["remix_of"], video["root_id"]) == (None, video["video_id"])
    assert video["viewer"] is None
    assert set(video["counts"].values()) == {0}
    assert api.get("/v1/accounts/alice/videos").json()["items"] == [
        {name: value for name, value in video.items() if name != "viewer"}
    ]


def test_only_a_finished_draft_of_ones_own_is_published(person: People, log: Log) -> None:
    alice, mallory = person("alice"), person("mallory")
    made = draft(log, alice.account_id)
    queued = generation(alice.account_id)
    log.save(queued)
    thrown_away = log.find(Generation, draft(log, alice.account_id))
    assert thrown_away
    thrown_away.discard(by=alice.account_id, at=datetime.now(UTC))
    log.save(thrown_away)

    stolen = mallory.post("/v1/videos", json={"generation_id": str(made)})
    others = [
        alice.post("/v1/videos", json={"generation_id": str(of)})
        for of in (queued.id, thrown_away.id, uuid4())
    ]

    for refused in (stolen, *others):
        assert (refused.status_code, refused.json()["code"]) == (404, "draft_not_found")
    unknown = {"generation_id": str(made), "visibility": "friends"}
    assert alice.post("/v1/videos", json=unknown).status_code == 400
    assert alice.post("/v1/videos", json={"generation_id": str(made)}).status_code == 201


def test_a_draft_is_published_once_however_often_it_is_tried(person: People, log: Log) -> None:
    alice = person("alice")
    made = {"generation_id": str(draft(log, alice.account_id))}

    with ThreadPoolExecutor(4) as threads:
        tries = [threads.submit(alice.post, "/v1/videos", json=made) for _ in range(4)]
        answers = [attempt.result() for attempt in tries]

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    again = alice.post("/v1/videos", json=made)
    assert again.json()["code"] == "already_published"
    video_id = shown(alice, "/v1/accounts/alice/videos")[0]
    alice.delete(f"/v1/videos/{video_id}")
    assert alice.post("/v1/videos", json=made).json()["code"] == "already_published"


def test_an_edit_names_the_version_it_is_of(person: People, log: Log) -> None:
    alice, mallory = person("alice"), person("mallory")
    url = f"/v1/videos/{publish(alice, log)}"
    seen = {"If-Match": alice.get(url).headers["etag"]}

    first = alice.patch(url, json={"caption": "An owl."}, headers=seen)
    second = alice.patch(url, json={"caption": "A fox."}, headers=seen)
    foreign = mallory.patch(url, json={"caption": "Mine."})

    assert first.status_code == 200
    assert first.headers["etag"] == alice.get(url).headers["etag"]
    assert second.json()["code"] == "precondition_failed"
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_video_author")
    assert mallory.get(url).json()["caption"] == "An owl."
    assert alice.patch(url, json={"author_id": str(mallory.account_id)}).status_code == 400


def test_an_unlisted_video_is_for_who_has_the_link(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    video_id = publish(alice, log)

    alice.patch(f"/v1/videos/{video_id}", json={"visibility": "link"})

    assert bob.get(f"/v1/videos/{video_id}").status_code == 200
    assert shown(bob, "/v1/accounts/alice/videos") == []
    assert shown(alice, "/v1/accounts/alice/videos") == [video_id]


def test_a_video_for_followers_is_not_there_for_others(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    bob.put("/v1/accounts/alice/follow")
    video_id = publish(alice, log, visibility="followers")
    url = f"/v1/videos/{video_id}"

    for answer in (
        api.get(url),
        *(mallory.get(f"{url}{rest}") for rest in ("", "/remixes", "/lineage", "/comments")),
        mallory.put(f"{url}/like"),
        mallory.put(f"{url}/bookmark"),
        mallory.delete(f"{url}/like"),
        mallory.post(f"{url}/share"),
        mallory.post(f"{url}/comments", json={"text": "Hello?"}),
        mallory.patch(url, json={"visibility": "public"}),
        mallory.delete(url),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "video_not_found")

    assert shown(mallory, "/v1/accounts/alice/videos") == []
    assert shown(bob, "/v1/accounts/alice/videos") == [video_id]
    assert bob.put(f"{url}/like").status_code == 204
    assert bob.get(url).json()["viewer"] == {"liked": True, "bookmarked": False, "following": True}
    bob.delete("/v1/accounts/alice/follow")
    assert bob.get(url).status_code == 404
    assert alice.get(url).json()["counts"]["likes"] == 1


def test_a_block_hides_videos_both_ways_from_then_on(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    fox, owl = publish(alice, log), publish(bob, log)
    bob.put(f"/v1/videos/{fox}/bookmark")
    alice.put(f"/v1/videos/{owl}/like")
    assert shown(bob, "/v1/bookmarks") == [fox]

    alice.put("/v1/accounts/bob/block")

    assert shown(bob, "/v1/bookmarks") == []
    assert bob.get(f"/v1/videos/{fox}").status_code == 404
    assert alice.get(f"/v1/videos/{owl}").status_code == 404
    assert bob.post(f"/v1/videos/{fox}/share").status_code == 404
    assert alice.delete(f"/v1/videos/{owl}/like").status_code == 204  # what is mine I take back
    assert bob.get(f"/v1/videos/{owl}").json()["counts"]["likes"] == 0


def test_a_remix_tells_whom_it_is_owed_to(person: People, log: Log) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    root = publish(alice, log)
    remix = publish(bob, log, remix_of=root)
    grandchild = publish(mallory, log, remix_of=remix)

    lineage = alice.get(f"/v1/videos/{grandchild}/lineage").json()

    credited = [(a["depth"], a["video"]["author"]["handle"]) for a in lineage["ancestors"]]
    assert credited == [(0, "alice"), (1, "bob")]
    assert shown(alice, f"/v1/videos/{root}/remixes") == [remix]
    assert alice.get(f"/v1/videos/{grandchild}").json()["root_id"] == root
    of_root = alice.get(f"/v1/videos/{root}/lineage").json()
    assert of_root["ancestors"] == []
    assert [card["video_id"] for card in of_root["remixes"]] == [remix]
    assert alice.get(f"/v1/videos/{root}").json()["counts"]["remixes"] == 1

    bob.delete(f"/v1/videos/{remix}")

    hidden = alice.get(f"/v1/videos/{grandchild}/lineage").json()["ancestors"]
    assert [ancestor["video"] and ancestor["video"]["video_id"] for ancestor in hidden] == [
        root,
        None,
    ]
    assert alice.get(f"/v1/videos/{root}").json()["counts"]["remixes"] == 0


def test_a_remix_does_not_tell_the_id_of_an_unlisted_parent(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    root = publish(alice, log)
    remix = publish(bob, log, remix_of=root)
    told = bob.get("/v1/feed", params={"kind": "latest"}).json()["items"]
    assert [card["remix_of"] for card in told] == [root, None]

    alice.patch(f"/v1/videos/{root}", json={"visibility": "link"})

    (card,) = bob.get("/v1/feed", params={"kind": "latest"}).json()["items"]
    assert (card["video_id"], card["remix_of"], card["root_id"]) == (remix, None, None)
    assert root not in bob.get(f"/v1/videos/{remix}").text


def test_a_remix_needs_a_parent_that_is_there_and_lets_itself_be_remixed(
    person: People, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    closed = publish(alice, log, remixable=False)
    private = publish(alice, log, visibility="followers")
    deleted = publish(alice, log)
    alice.delete(f"/v1/videos/{deleted}")

    def attempt(by: Person, parent: str) -> tuple[int, str]:
        made = draft(log, by.account_id, remix_of=UUID(parent))
        answer = by.post("/v1/videos", json={"generation_id": str(made)})
        return answer.status_code, answer.json().get("code", "")

    assert attempt(bob, closed) == (403, "remixing_forbidden")
    assert attempt(alice, closed) == (201, "")
    assert attempt(bob, private) == (404, "parent_not_found")
    assert attempt(bob, deleted) == (404, "parent_not_found")
    assert attempt(alice, deleted) == (404, "parent_not_found")


def test_a_deleted_video_is_there_for_nobody(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice, mallory = person("alice"), person("mallory")
    url = f"/v1/videos/{publish(alice, log)}"

    foreign = mallory.delete(url)
    mine = alice.delete(url)

    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_video_author")
    assert mine.status_code == 204
    assert api.get(url).status_code == alice.get(url).status_code == 404
    assert alice.put(f"{url}/like").status_code == 404
    assert alice.patch(url, json={"caption": "Come back."}).status_code == 404
    assert alice.delete(url).status_code == 404
    assert shown(alice, "/v1/accounts/alice/videos") == []


def test_a_moderator_deletes_what_they_may_not_even_see(
    person: People, log: Log, api: TestClient[Litestar]
) -> None:
    alice, bob = person("alice"), person("bob")
    video_id = publish(alice, log, visibility="followers")
    account = log.find(Account, bob.account_id)
    assert account
    account.change_scopes((*account.scopes, "moderator"), by=alice.account_id, at=datetime.now(UTC))
    log.save(account)
    bob.tokens = api.post("/v1/sessions", json={"name": "bob", "password": PASSWORD}).json()

    assert bob.get(f"/v1/videos/{video_id}").status_code == 404
    assert bob.delete(f"/v1/videos/{video_id}").status_code == 204
    assert bob.delete(f"/v1/videos/{video_id}").status_code == 404
    assert alice.get(f"/v1/videos/{video_id}").status_code == 404


def test_a_list_of_videos_goes_on_where_the_page_ended(person: People, log: Log) -> None:
    alice = person("alice")
    videos = [publish(alice, log) for _ in range(3)]

    first = alice.get("/v1/accounts/alice/videos", params={"limit": 2}).json()
    publish(alice, log)
    rest = alice.get("/v1/accounts/alice/videos", params={"cursor": first["next_cursor"]}).json()

    assert [card["video_id"] for card in first["items"] + rest["items"]] == videos[::-1]
    assert rest["next_cursor"] is None
    stolen = alice.get("/v1/bookmarks", params={"cursor": first["next_cursor"]})
    assert stolen.json()["code"] == "cursor_invalid"


def test_a_card_tells_who_paid_for_the_video(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    video = f"/v1/videos/{publish(alice, log, branded_content='Fox and Sons')}"
    plain = f"/v1/videos/{publish(alice, log)}"

    told = alice.get(video).json()
    listed = alice.get("/v1/accounts/alice/videos").json()["items"]
    edited = alice.patch(video, json={"caption": "Spring."}).json()
    alice.patch(video, json={"branded_content": ""})
    alice.patch(plain, json={"branded_content": "Fox and Sons"})

    assert told["branded_content"] == {"brand": "Fox and Sons"}
    assert [card.get("branded_content") for card in listed] == [None, {"brand": "Fox and Sons"}]
    assert edited["branded_content"] == "Fox and Sons"
    assert "branded_content" not in alice.get(video).json()
    assert alice.get(plain).json()["branded_content"] == {"brand": "Fox and Sons"}
    assert bob.patch(plain, json={"branded_content": ""}).status_code == 403
    refused = alice.patch(plain, json={"branded_content": "F\nS"})
    assert refused.json()["code"] == "brand_invalid"
