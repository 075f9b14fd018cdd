"""What a worker may do for a generation, and what it is told: claim, beat, fail, deliver."""

from pathlib import Path
from uuid import uuid4

from litestar import Litestar
from litestar.testing import TestClient

from myriorama.application.work import Works
from myriorama.settings import Settings
from tests.api.generating import GPU, WISH, SignUp, ask, hand_out, left, lend, seen, upload


def test_only_a_worker_does_a_workers_work(
    api: TestClient[Litestar], person: SignUp, works: Works
) -> None:
    mallory = person("mallory")
    wish = ask(mallory)
    hand_out(works, wish)
    claim = {"worker": "mallory", "attempt": 1}

    assert mallory.post(f"/v1/work/{wish}/claim", json=claim).status_code == 403
    assert api.post(f"/v1/work/{wish}/claim", json=claim).status_code == 401
    assert seen(mallory, wish)["state"] != "running"


def test_an_attempt_is_claimed_once_and_a_cancelled_one_never(
    api: TestClient[Litestar], person: SignUp, gpu: GPU, settings: Settings, works: Works
) -> None:
    alice = person("alice")
    wish, unwanted = ask(alice), ask(alice)
    hand_out(works, wish, unwanted)
    other = GPU(api, settings)
    alice.post(f"/v1/generations/{unwanted}/cancel")

    answers = [
        gpu.claim(wish, attempt=2),
        gpu.claim(wish),
        gpu.claim(wish),
        other.claim(wish),
        gpu.claim(unwanted),
        gpu.claim(str(uuid4())),
    ]

    assert [a.status_code for a in answers] == [409, 200, 200, 409, 409, 404]
    assert answers[3].json()["code"] == "generation_not_waiting"


def test_a_cancelled_render_is_told_to_stop_and_its_delivery_is_refused(
    person: SignUp, gpu: GPU, works: Works
) -> None:
    alice = person("alice")
    wish = ask(alice)
    hand_out(works, wish)
    gpu.claim(wish)

    alice.post(f"/v1/generations/{wish}/cancel")

    assert gpu.post(wish, "heartbeat", attempt=1, done=1, total=8).json() == {"go_on": False}
    assert gpu.complete(wish).status_code == 409
    assert seen(alice, wish)["state"] == "cancelled"
    assert left(alice) == 300


def test_what_fails_twice_has_failed_and_costs_nothing(
    person: SignUp, gpu: GPU, works: Works
) -> None:
    alice = person("alice")
    wish = ask(alice)
    for attempt in (1, 2):
        hand_out(works, wish)
        gpu.claim(wish, attempt)
        failed = gpu.post(wish, "fail", attempt=attempt, reason="render_failed", detail="boom")
        assert failed.status_code == 204

    ended = seen(alice, wish)

    assert (ended["state"], ended["reason"]) == ("failed", "render_failed")
    assert left(alice) == 300


def test_what_was_not_stored_is_not_delivered(person: SignUp, gpu: GPU, works: Works) -> None:
    alice = person("alice")
    wish = ask(alice)
    hand_out(works, wish)
    gpu.claim(wish)
    made = {"sha256": "ab" * 32, "size_bytes": 1, "width": 1, "height": 1, "duration_ms": 1}
    keys = dict.fromkeys(("video_key", "poster_key", "thumbnail_key"), "videos/ab/none.mp4")

    answer = gpu.post(wish, "complete", attempt=1, renderer="x", gpu_ms=0, **made, **keys)

    assert (answer.status_code, answer.json()["code"]) == (422, "objects_missing")
    assert seen(alice, wish)["state"] == "running"


def test_who_withdraws_consent_is_in_no_render_that_has_not_begun_nor_in_one_that_has(
    person: SignUp, gpu: GPU, works: Works, tmp_path: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = lend(alice, tmp_path)
    permission = f"/v1/cameos/{cameo}/permissions/{bob.account_id}"
    alice.put(permission, json={"verdict": "granted"})
    early, late = ask(bob, cameo_ids=[cameo]), ask(bob, cameo_ids=[cameo])
    hand_out(works, early, late)
    work = gpu.claim(early)

    alice.put(permission, json={"verdict": "denied"})

    claimed = gpu.claim(late)
    beaten = gpu.post(early, "heartbeat", attempt=1, done=1, total=8)
    asked = bob.post("/v1/generations", json={**WISH, "cameo_ids": [cameo]})
    assert work.json()["cameos"][0]["name"] == "alice"
    assert (claimed.status_code, claimed.json()["code"]) == (409, "consent_withdrawn")
    assert beaten.json() == {"go_on": False}
    assert gpu.complete(early).status_code == 409
    assert [seen(bob, w)["state"] for w in (early, late)] == ["refused", "refused"]
    assert seen(bob, late)["reason"] == "consent_withdrawn"
    assert left(bob) == 300
    assert (asked.status_code, asked.json()["code"]) == (403, "casting_forbidden")


def test_a_worker_is_told_the_voice_that_the_owner_chose(
    person: SignUp, gpu: GPU, works: Works, tmp_path: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = lend(alice, tmp_path, audience="everyone")
    before, after = ask(bob, cameo_ids=[cameo]), ask(bob, cameo_ids=[cameo])
    hand_out(works, before, after)
    unchosen = gpu.claim(before)

    alice.put(f"/v1/cameos/{cameo}/voice", json={"voice": "soprano"})

    chosen = gpu.claim(after)
    assert [work.json()["cameos"][0]["voice"] for work in (unchosen, chosen)] == ["", "soprano"]


def test_a_video_begins_with_ones_own_picture_alone(
    person: SignUp, gpu: GPU, works: Works, tmp_path: Path
) -> None:
    alice, mallory = person("alice"), person("mallory")
    picture = upload(alice, tmp_path)
    wish = ask(alice, image_upload_id=picture)
    hand_out(works, wish)

    work = gpu.claim(wish)
    stolen = mallory.post("/v1/generations", json={**WISH, "image_upload_id": picture})

    assert work.json()["image_key"]
    assert (stolen.status_code, stolen.json()["code"]) == (404, "upload_not_found")
