"""What people look for they find, as far as they may see it, and nothing twice."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Litestar
from litestar.testing import TestClient

from domain.cameo.aggregate import Cameo
from domain.video.visibility import Visibility
from myriorama.api.search_terms import Terms
from myriorama.api.searching import Place, fused
from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish, published

People = Callable[[str], Person]


def found(person: Person | TestClient[Litestar], typed: str, **asked: Any) -> list[str]:
    answer = person.get("/v1/search", params={"q": typed, **asked})
    assert answer.status_code == 200, answer.text
    return [video["video_id"] for video in answer.json()["videos"]]


def put_up(log: Log, author: Person, caption: str, visibility: Visibility = "public") -> str:
    """Publish, and return when it is on the read side: a like of one's own waits for it."""
    video = publish(log, author.account_id, caption, visibility)
    assert author.put(f"/v1/videos/{video.id}/like").status_code == 204
    return str(video.id)


def test_what_is_about_it_is_found_the_best_first(person: People, log: Log) -> None:
    alice = person("alice")
    goal = put_up(log, alice, "a football team celebrates the winning goal")
    sushi = put_up(log, alice, "a chef rolls sushi in Tokyo")

    assert found(alice, "football") == [goal]
    assert found(alice, "soccer")[0] == goal
    assert found(alice, "footbal")[0] == goal
    assert found(alice, "japanese food")[0] == sushi
    assert set(found(alice, "fox")) == {goal, sushi}  # both prompts tell of one


def test_a_hashtag_must_be_there_and_a_handle_must_be_of_its_people(
    person: People, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    fox = put_up(log, alice, "At dawn #fox #snow")
    owl = put_up(log, bob, "At night #snow")

    assert found(alice, "#snow") == [owl, fox]
    assert found(alice, "#snow #fox") == [fox]
    assert found(alice, "#snow night") == [owl]
    assert found(alice, "@bob") == [owl]
    assert found(alice, "@alice #snow") == [fox]
    assert found(alice, "@nobody_here") == []
    tagged = alice.get("/v1/hashtags/Snow").json()
    assert [video["video_id"] for video in tagged["items"]] == [owl, fox]
    for nothing in ("none", "%20", "%20%20", "fox%20snow", "%23%23fox", "-", "fox%40alice"):
        assert alice.get(f"/v1/hashtags/{nothing}").json()["items"] == []
    assert len(alice.get("/v1/hashtags/%23fox").json()["items"]) == 1


def test_a_handle_finds_what_a_person_is_cast_in_but_not_for_whom_they_blocked(
    person: People, log: Log
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    now = datetime.now(UTC)
    cameo = Cameo.record(
        uuid4(),
        owner_id=alice.account_id,
        name="Alice",
        audience="everyone",
        face_upload_id=uuid4(),
        voice_upload_id=None,
        face_key="faces/a.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=now,
    )
    cast = published(
        bob.account_id,
        caption="Who is this?",
        prompt="a woman flies",
        cameo_ids=(cameo.id,),
        at=now,
    )
    log.save(cameo, cast)
    put_up(log, bob, "nobody is cast")

    assert found(bob, "@alice") == [str(cast.id)]
    assert found(mallory, "@Alice flying") == [str(cast.id)]
    assert found(mallory, "@alice sushi") == []
    alice.put("/v1/accounts/mallory/block")
    assert found(mallory, "@alice") == []


def test_search_shows_no_more_than_lists_do(
    person: People, api: TestClient[Litestar], log: Log
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    public = put_up(log, alice, "a #fox dances")
    followers = put_up(log, alice, "a #fox dances for friends", "followers")
    unlisted = put_up(log, alice, "a #fox dances in secret", "link")

    assert set(found(alice, "dancing")) == {public, followers, unlisted}
    assert found(bob, "dancing") == [public]
    assert found(api, "dancing") == [public]
    bob.put("/v1/accounts/alice/follow")
    assert set(found(bob, "#fox")) == {public, followers}
    alice.put("/v1/accounts/mallory/block")
    assert found(mallory, "dancing") == found(mallory, "@alice") == []
    assert mallory.get("/v1/search?q=alice&type=people").json()["people"] == []
    bob.put("/v1/accounts/alice/mute")
    assert found(bob, "dancing") == []
    (tag,) = bob.get("/v1/search?q=fo&type=hashtags").json()["hashtags"]
    assert tag == {"tag": "fox", "videos": 1}
    alice.delete(f"/v1/videos/{public}")
    assert found(api, "dancing") == []
    assert api.get("/v1/search?q=fo&type=hashtags").json()["hashtags"] == []


def test_nothing_comes_twice_while_more_is_published(person: People, log: Log) -> None:
    alice = person("alice")
    before = [put_up(log, alice, f"dancing bear number {n}") for n in range(5)]

    seen: list[str] = []
    cursor = None
    for n in range(10):
        asked = {"q": "dancing bear", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = alice.get("/v1/search", params=asked).json()
        seen += [video["video_id"] for video in page["videos"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if n == 0:
            put_up(log, alice, "dancing bear dancing bear dancing bear")

    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)


def test_a_cursor_is_for_one_search_of_one_viewer(person: People, log: Log) -> None:
    alice, bob = person("alice"), person("bob")
    for n in range(3):
        put_up(log, alice, f"dancing bear {n}")
    cursor = alice.get("/v1/search?q=bear&limit=1").json()["next_cursor"]

    for who, url, asked in (
        (alice, "/v1/search", {"q": "fox"}),
        (bob, "/v1/search", {"q": "bear"}),
        (alice, "/v1/explore", {}),
        (alice, "/v1/hashtags/bear", {}),
    ):
        answer = who.get(url, params={**asked, "cursor": cursor})
        assert answer.status_code == 422
        assert answer.json()["code"] == "cursor_invalid"


def test_people_are_found_by_handle_and_name_the_likest_first(person: People) -> None:
    alice, alicia, bob = person("alice"), person("alicia"), person("bob")
    bob.patch("/v1/me", json={"display_name": "Robert Alison"})

    def people(typed: str, **asked: Any) -> list[str]:
        answer = bob.get("/v1/search", params={"q": typed, "type": "people", **asked})
        assert answer.status_code == 200, answer.text
        return [somebody["handle"] for somebody in answer.json()["people"]]

    assert people("alice")[0] == alice.handle
    assert people("@ALI")[:2] == [alice.handle, alicia.handle]
    assert people("robert") == [bob.handle]
    first = bob.get("/v1/search?q=ali&type=people&limit=1").json()
    asked = {"q": "ali", "type": "people", "cursor": first["next_cursor"]}
    rest = bob.get("/v1/search", params=asked).json()["people"]
    assert first["people"][0]["handle"] not in {somebody["handle"] for somebody in rest}


ODDITIES = (
    "",
    " ",
    "!!! ??? ((( & | ! <-> :*",
    "'; DROP TABLE videos; --",
    "\U0001f642" * 3,
    "%_%\\",
    "#",
    "@",
    "#" * 400,
    "@a" * 200,
    "\u202efoo\u0007\n\r\t",
    "狐が跳ぶ",
    '"unclosed OR -',
    "a" * 500,
    "-" * 100,
    "- " * 250,
    "fox " + "-" * 300,
    '-"' * 200,
)


def test_whatever_is_typed_is_answered(api: TestClient[Litestar]) -> None:
    answers = {
        (typed, kind): api.get("/v1/search", params={"q": typed, "type": kind}).status_code
        for typed in ODDITIES
        for kind in ("videos", "people", "hashtags")
    }

    assert {asked for asked, status in answers.items() if status != 200} == set()
    for refused in ("a" * 10_000, "a\x00b"):
        answer = api.get("/v1/search", params={"q": refused})
        assert answer.status_code == 400
        assert answer.json()["code"]


def test_what_was_typed_falls_into_hashtags_handles_and_words() -> None:
    assert Terms.of("a #Fox  with @Alice,\n#café #fox") == (
        ("fox", "cafe"),
        ("alice",),
        "a with ,",
    )
    assert Terms.of("mail a@b.example c#minor") == ((), (), "mail a@b.example c#minor")


def test_a_hyphen_takes_a_word_out_and_says_nothing_else() -> None:
    assert Terms.of('--- fox -snow - -"at dawn" half-open --owl').text == (
        'fox -snow -"at dawn" half-open -owl'
    )


def test_what_several_lists_have_comes_before_what_one_has() -> None:
    fox, owl, bear = UUID(int=1), UUID(int=2), UUID(int=3)

    order = fused(
        [
            Place("words", owl, 2, 1),
            Place("words", fox, 1, 2),
            Place("meaning", fox, 1, 1),
            Place("spelling", bear, 3, 1),
        ]
    )

    assert [place.video_id for place in order] == [fox, owl, bear]
