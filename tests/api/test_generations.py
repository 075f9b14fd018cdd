"""A generation over HTTP: asked for, afforded, made into a draft, and nobody else's."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar.testing import TestClient

from domain.generation.fair_queue import Rules
from myriorama.api.generation_events import STREAMS_MAX, GenerationEvents, TooManyStreams
from myriorama.api.generation_rows import OwnGenerations
from myriorama.api.paging import Cursors
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.reads import Reads
from myriorama.application.work import Works
from myriorama.bootstrap.api import create_api
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import async_pool
from myriorama.store.progress import ProgressRelay
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer
from tests.api.generating import GPU, WISH, SignUp, ask, hand_out, left, lend, listed, seen
from tests.people import sign_up
from tests.publishing import publish


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
