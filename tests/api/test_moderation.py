"""Refusals of the screening over HTTP: what people are told, and how an appeal ends."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from myriorama.api.tokens import AccessTokens, Scope
from myriorama.application.work import Works
from myriorama.settings import Settings
from tests.api.generating import GPU, hand_out, left, lend, listed, seen
from tests.people import Person

SignUp = Callable[[str], Person]

REFUSED = {"prompt": "a nude statue in a museum", "seconds": 4}
FLASHES = {
    "stage": "frames",
    "check": "flashing",
    "version": "1",
    "verdict": "refuse",
    "code": "photosensitivity",
    "detail": "12 flashes within a second",
    "words": "The clip flashes.",
}


@pytest.fixture
def moderator(person: SignUp, settings: Settings) -> Person:
    return promoted(person("bob"), settings)


def promoted(who: Person, settings: Settings) -> Person:
    """Give somebody a token with which they may moderate, beside what they may do anyhow."""
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    scopes = (str(Scope.VIEWER), str(Scope.CREATOR), str(Scope.MODERATOR))
    token = tokens.issue(who.account_id, uuid4(), scopes, now=time.time())
    return Person(who.client, who.handle, who.account_id, {**who.tokens, "access_token": token})


def refused(who: Person, **wish: Any) -> str:
    answer = who.post("/v1/generations", json={**REFUSED, **wish})
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "refused"
    generation_id: str = answer.json()["generation_id"]
    return generation_id


def appeal(who: Person, generation_id: str, statement: str = "It is a statue.") -> Response:
    return who.post(f"/v1/generations/{generation_id}/appeal", json={"statement": statement})


def decide(who: Person, generation_id: str, *, overturned: bool) -> Response:
    return who.post(
        f"/v1/moderation/appeals/{generation_id}/decision",
        json={"overturned": overturned, "note": "I looked at it."},
    )


def queue(who: Person, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = who.get("/v1/moderation/appeals", params=query).json()
    return answer


def test_a_refusal_says_why_but_not_by_which_word_and_takes_no_seconds(person: SignUp) -> None:
    alice = person("alice")

    generation_id = refused(alice)

    told = seen(alice, generation_id)
    assert (told["state"], told["reason"]) == ("refused", "sexual_content")
    assert told["detail"] == "Nudity and sexual acts are not made here."
    assert "nude" not in str({**told, "prompt": ""})
    assert left(alice) == 300


def test_what_was_refused_wrongly_is_made_after_all_and_nobody_pays_for_it(
    person: SignUp, moderator: Person, gpu: GPU, works: Works
) -> None:
    alice = person("alice")
    generation_id = refused(alice)

    assert appeal(alice, generation_id).status_code == 204
    waiting = queue(moderator)["items"]
    assert decide(moderator, generation_id, overturned=True).status_code == 204

    hand_out(works, generation_id)
    gpu.claim(generation_id)
    assert gpu.complete(generation_id).status_code == 204
    assert [(item["generation_id"], item["statement"]) for item in waiting] == [
        (generation_id, "It is a statue.")
    ]
    assert waiting[0]["refusals"][0]["detail"] == "the term 'nude'"
    assert listed(alice, "/v1/drafts") == [generation_id]
    assert seen(alice, generation_id)["recipe"]["appeal_note"] == "I looked at it."
    assert queue(moderator)["items"] == []
    assert left(alice) == 300


def test_a_refusal_that_stands_is_not_appealed_twice(person: SignUp, moderator: Person) -> None:
    alice = person("alice")
    generation_id = refused(alice)
    appeal(alice, generation_id)

    statuses = [decide(moderator, generation_id, overturned=False).status_code for _ in range(2)]
    changed = decide(moderator, generation_id, overturned=True)

    again = appeal(alice, generation_id, "Look again.")
    assert statuses == [204, 204]
    assert (changed.status_code, changed.json()["code"]) == (409, "appeal_not_open")
    assert (again.status_code, again.json()["code"]) == (409, "appeal_impossible")
    assert seen(alice, generation_id)["state"] == "refused"
    assert [item["state"] for item in queue(moderator, outcome="upheld")["items"]] == ["upheld"]


def test_nobody_decides_on_an_appeal_of_their_own_nor_appeals_for_another(
    person: SignUp, moderator: Person, settings: Settings
) -> None:
    mallory = promoted(person("mallory"), settings)
    own, others = refused(mallory), refused(moderator)
    appeal(mallory, own)

    decided = decide(mallory, own, overturned=True)
    meddled = appeal(mallory, others)

    assert (decided.status_code, decided.json()["code"]) == (403, "own_appeal")
    assert (meddled.status_code, meddled.json()["code"]) == (404, "generation_not_found")
    assert queue(person("alice")).get("code") == "scope_missing"


def test_a_refused_clip_is_no_draft_until_the_refusal_falls(
    person: SignUp, moderator: Person, gpu: GPU, works: Works
) -> None:
    alice = person("alice")
    generation_id = alice.post("/v1/generations", json={"prompt": "a storm", "seconds": 4}).json()[
        "generation_id"
    ]
    hand_out(works, generation_id)
    gpu.claim(generation_id)

    assert gpu.complete(generation_id, verdicts=[FLASHES]).status_code == 204
    told, cost = seen(alice, generation_id), left(alice)
    published = alice.post("/v1/videos", json={"generation_id": generation_id})
    appeal(alice, generation_id, "It is slow lightning.")
    judged = queue(moderator)["items"][0]
    decide(moderator, generation_id, overturned=True)

    assert (told["state"], told["reason"], told["video_url"]) == (
        "refused",
        "photosensitivity",
        None,
    )
    assert (told["detail"], cost) == ("The clip flashes.", 296)
    assert published.status_code == 404
    assert judged["video_url"]
    assert seen(alice, generation_id)["video_url"]
    assert listed(alice, "/v1/drafts") == [generation_id]
    assert left(alice) == 300


def test_what_is_let_pass_asks_again_who_is_in_it(
    person: SignUp, moderator: Person, tmp_path: Path
) -> None:
    alice, carol = person("alice"), person("carol")
    cameo = lend(carol, tmp_path, audience="everyone")
    generation_id = refused(alice, cameo_ids=[cameo])
    appeal(alice, generation_id)

    carol.put(f"/v1/cameos/{cameo}/permissions/{alice.account_id}", json={"verdict": "denied"})
    assert decide(moderator, generation_id, overturned=True).status_code == 204

    told = seen(alice, generation_id)
    assert (told["state"], told["reason"]) == ("refused", "consent_withdrawn")
    assert left(alice) == 300


def test_who_waits_longest_is_first_in_the_queue_page_by_page(
    person: SignUp, moderator: Person
) -> None:
    alice = person("alice")
    first, second, third = (refused(alice, seed=seed) for seed in (1, 2, 3))
    for generation_id in (second, first, third):
        appeal(alice, generation_id)

    page = queue(moderator, limit=2)
    rest = queue(moderator, limit=2, cursor=page["next_cursor"])

    ids = [item["generation_id"] for item in (*page["items"], *rest["items"])]
    assert ids == [second, first, third]
    assert rest["next_cursor"] is None
