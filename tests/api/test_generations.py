"""A generation over HTTP: asked for, handed to a worker, delivered, and nobody else's."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from domain.generation.fair_queue import Rules
from myriorama.api.generation_events import STREAMS_MAX, GenerationEvents, TooManyStreams
from myriorama.api.generation_rows import OwnGenerations
from myriorama.api.paging import Cursors
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.reads import Reads
from myriorama.application.consent import Consent
from myriorama.application.work import Works
from myriorama.bootstrap.api import create_api
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import content_key, open_objects
from myriorama.store.postgres import async_pool
from myriorama.store.progress import ProgressRelay
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer
from tests.people import Person, sign_up
from tests.publishing import publish
from tests.studio.foreign_media import photo, two_colours

SignUp = Callable[[str], Person]
WISH = {"prompt": "a fox jumps over a brook", "seconds": 4}


class GPU:
    """A worker as the API sees it: it shows the token, and puts files into the object store."""

    def __init__(self, client: TestClient[Litestar], settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self.name = f"gpu-{uuid4()}"

    def post(self, generation_id: str, action: str, **content: Any) -> Response:
        return self._client.post(
            f"/v1/work/{generation_id}/{action}",
            json=content,
            headers={"Authorization": f"Bearer {self._settings.worker_token}"},
        )

    def claim(self, generation_id: str, attempt: int = 1) -> Response:
        return self.post(generation_id, "claim", worker=self.name, attempt=attempt)

    def complete(self, generation_id: str, attempt: int = 1, **more: Any) -> Response:
        content = f"video of {generation_id}".encode()
        digest = sha256(content).hexdigest()
        kinds = ("videos", "posters", "masters", "sprites", "captions")
        keys = {kind: content_key(kind, digest, ".bin") for kind in kinds}
        for key in keys.values():
            open_objects(self._settings.objects).put(
                key, content, media_type="application/octet-stream"
            )
        return self.post(
            generation_id,
            "complete",
            attempt=attempt,
            video_key=keys["videos"],
            poster_key=keys["posters"],
            thumbnail_key=keys["posters"],
            sha256=digest,
            size_bytes=len(content),
            width=480,
            height=832,
            duration_ms=4000,
            renderer="procedural-1",
            gpu_ms=0,
            master_key=keys["masters"],
            sprite_key=keys["sprites"],
            captions_key=keys["captions"],
            model_digest="5e" * 32,
            **more,
        )


@pytest.fixture
def gpu(api: TestClient[Litestar], settings: Settings) -> GPU:
    return GPU(api, settings)


@pytest.fixture
def works(settings: Settings, log: Log) -> Works:
    """The write side of the dispatcher, which hands attempts out before it tells Kafka."""
    objects = open_objects(settings.objects)
    return Works(log, Consent(log), objects, lease=timedelta(seconds=30))


def ask(who: Person, **wish: Any) -> str:
    answer = who.post("/v1/generations", json={**WISH, **wish})
    assert answer.status_code == 201, answer.text
    generation_id: str = answer.json()["generation_id"]
    assert answer.headers["location"] == f"/v1/generations/{generation_id}"
    return generation_id


def hand_out(works: Works, *generation_ids: str) -> None:
    for generation_id in generation_ids:
        works.dispatch(UUID(generation_id), at=datetime.now(UTC))


def seen(who: Person, generation_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = who.get(f"/v1/generations/{generation_id}").json()
    return answer


def left(who: Person) -> int:
    seconds: int = who.get("/v1/allowance").json()["remaining_seconds"]
    return seconds


def listed(who: Person, url: str) -> list[str]:
    return [item["generation_id"] for item in who.get(url).json()["items"]]


def test_a_wish_becomes_a_draft_and_the_draft_a_video(
    person: SignUp, gpu: GPU, works: Works
) -> None:
    alice = person("alice")
    wish = ask(alice, seed=7)
    waiting = seen(alice, wish)
    hand_out(works, wish)

    work = gpu.claim(wish)
    running = seen(alice, wish)
    beat = gpu.post(wish, "heartbeat", attempt=1, done=1, total=8)
    delivered = gpu.complete(wish)
    again = gpu.complete(wish)
    made = seen(alice, wish)
    drafts = listed(alice, "/v1/drafts")
    published = alice.post("/v1/videos", json={"generation_id": wish})

    assert (waiting["state"], waiting["place"], waiting["work_class"]) == ("queued", 1, "plain")
    assert work.status_code == 200
    assert work.json()["seed"] == 7
    assert (work.json()["width"], work.json()["height"], work.json()["fps"]) == (480, 832, 24)
    assert (running["state"], running["place"]) == ("running", None)
    assert beat.json() == {"go_on": True}
    assert (delivered.status_code, again.status_code) == (204, 204)
    assert made["state"] == "completed"
    assert made["video_url"].startswith("/media/videos/")
    assert drafts == [wish]
    assert published.status_code == 201, published.text
    assert listed(alice, "/v1/drafts") == []
    assert seen(alice, wish)["video_id"] == published.json()["video_id"]
    assert alice.delete(f"/v1/drafts/{wish}").status_code == 404


def test_nobody_holds_more_streams_open_than_they_may(person: SignUp, settings: Settings) -> None:
    alice = person("alice")
    wish = UUID(ask(alice))
    signer, progress = Signer(settings.secret.encode()), ProgressRelay(settings.kafka)

    async def follow_many() -> None:
        async with async_pool(settings.database_url) as pool:
            reads = Reads(pool)
            own = OwnGenerations(reads, QueueStanding(reads, Rules()), Cursors(signer), signer)
            events = GenerationEvents(own, Projected(settings.database_url), progress, signer)
            streams = [events.follow(wish, owner_id=alice.account_id) for _ in range(STREAMS_MAX)]
            for stream in streams:
                await anext(stream)

            with pytest.raises(TooManyStreams):
                events.require_room(alice.account_id)
            events.require_room(uuid4())
            for stream in streams:
                await stream.aclose()
            events.require_room(alice.account_id)

    asyncio.run(follow_many())
    progress.close()


def test_nobody_else_knows_of_a_generation(person: SignUp, gpu: GPU, works: Works) -> None:
    alice, mallory = person("alice"), person("mallory")
    wish = ask(alice)
    hand_out(works, wish)
    gpu.claim(wish)
    gpu.complete(wish)

    answers = [
        mallory.get(f"/v1/generations/{wish}"),
        mallory.get(f"/v1/generations/{wish}/events"),
        mallory.post(f"/v1/generations/{wish}/cancel"),
        mallory.delete(f"/v1/drafts/{wish}"),
        mallory.post("/v1/videos", json={"generation_id": wish}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert listed(mallory, "/v1/generations") == []
    assert listed(mallory, "/v1/drafts") == []
    assert listed(alice, "/v1/drafts") == [wish]


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


def test_an_allowance_is_used_up_and_comes_back_with_what_is_cancelled(
    settings: Settings, projecting: None
) -> None:
    assert projecting is None
    narrow = replace(settings, allowance_seconds=20, generations_in_flight_max=3)
    with TestClient(create_api(narrow)) as api:
        alice = sign_up(api, narrow, "alice")
        first, second = ask(alice, seconds=12), ask(alice, seconds=8)

        refused = alice.post("/v1/generations", json=WISH)
        used_up = left(alice)
        cancelled = alice.post(f"/v1/generations/{first}/cancel")

        assert refused.status_code == 429
        assert refused.json()["code"] == "allowance_exhausted"
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert used_up == 0
        assert cancelled.status_code == 204
        assert seen(alice, first)["state"] == "cancelled"
        assert left(alice) == 12
        third, fourth = ask(alice, seconds=2), ask(alice, seconds=2)
        fifth = alice.post("/v1/generations", json={**WISH, "seconds": 2})
        assert fifth.json()["code"] == "too_many_in_flight"
        assert listed(alice, "/v1/generations?limit=2") == [fourth, third]
        page = alice.get("/v1/generations?limit=2").json()
        rest = listed(alice, f"/v1/generations?cursor={page['next_cursor']}")
        assert rest == [second, first]


def test_many_wishes_at_once_spend_no_second_twice(settings: Settings, projecting: None) -> None:
    assert projecting is None
    narrow = replace(settings, allowance_seconds=8, generations_in_flight_max=50)
    with TestClient(create_api(narrow)) as api:
        alice = sign_up(api, narrow, "alice")

        def attempt(seed: int) -> int:
            return alice.post("/v1/generations", json={**WISH, "seed": seed}).status_code

        with ThreadPoolExecutor(4) as threads:
            statuses = sorted(threads.map(attempt, range(4)))

        assert statuses == [201, 201, 429, 429]
        assert left(alice) == 0


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


def test_a_recalled_cameo_takes_the_drafts_it_is_in_along(
    person: SignUp, gpu: GPU, works: Works, tmp_path: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = lend(alice, tmp_path, audience="everyone")
    wish = ask(bob, cameo_ids=[cameo])
    hand_out(works, wish)
    gpu.claim(wish)
    gpu.complete(wish)
    before = listed(bob, "/v1/drafts")

    alice.delete(f"/v1/cameos/{cameo}")

    assert before == [wish]
    assert listed(bob, "/v1/drafts") == []
    assert seen(bob, wish)["video_url"] is None
    assert bob.post("/v1/videos", json={"generation_id": wish}).status_code == 403


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


def test_what_is_hidden_or_not_to_be_remixed_is_not_remixed(
    person: SignUp, gpu: GPU, works: Works, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    shown = publish(log, alice.account_id)
    hidden = publish(log, alice.account_id, visibility="followers")
    closed = publish(log, alice.account_id)
    alice.patch(f"/v1/videos/{closed.id}", json={"remixable": False})

    remix = ask(bob, remix_of=str(shown.id))
    refused = [
        bob.post("/v1/generations", json={**WISH, "remix_of": str(video.id)})
        for video in (hidden, closed)
    ]
    hand_out(works, remix)
    gpu.claim(remix)
    gpu.complete(remix)
    published = bob.post("/v1/videos", json={"generation_id": remix}).json()["video_id"]

    assert [answer.status_code for answer in refused] == [404, 403]
    assert bob.get(f"/v1/videos/{published}").json()["remix_of"] == str(shown.id)


def test_a_wish_that_cannot_be_is_refused_and_costs_nothing(person: SignUp) -> None:
    alice = person("alice")
    wrongs: list[dict[str, Any]] = [
        {"prompt": ""},
        {"prompt": "a fox\u0007"},
        {"seconds": 1},
        {"seconds": 16},
        {"orientation": "round"},
        {"seed": -1},
        {"cameo_ids": ["not an id"]},
        {"cameo_ids": [str(uuid4())] * 5},
        {"colour": "red"},
    ]

    answers = [alice.post("/v1/generations", json={**WISH, **wrong}) for wrong in wrongs]

    assert {answer.status_code for answer in answers} <= {400, 422}
    assert left(alice) == 300


def lend(who: Person, folder: Path, audience: str = "approved") -> str:
    form = {"name": who.handle, "audience": audience, "face_upload_id": upload(who, folder)}
    cameo_id: str = who.post("/v1/cameos", json=form).json()["cameo_id"]
    return cameo_id


def upload(who: Person, folder: Path) -> str:
    with photo(folder / "face.jpg", two_colours(64, 64)).open("rb") as file:
        answer = who.post("/v1/uploads", files={"file": file}, data={"purpose": "image"})
    upload_id: str = answer.json()["upload_id"]
    return upload_id
