"""Bench `e2e`: from the moment a video is about to be recorded until a follower's feed shows it.

All of the way but the making: the log, the projector in its process, its notification, the memory
of the API in another, and HTTP. The publication is recorded as commands record theirs.
"""

import json
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import EventStore

from domain.video.events import VideoPublished
from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.scratch import ProgramNotAnswering, scratch_house
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import open_pool
from myriorama.store.recorder import DomainRecorder

VIDEOS = 300
WARM_UP = 20
GAP_S_MAX = 0.03
LOOK_EVERY_S = 0.002
_PATIENCE_S = 10.0


def measure(progress: Progress) -> Outcome:
    """Publish one video after the other, and look for each until it is there."""
    with (
        scratch_house() as house,
        house.program("myriorama", "project"),
        house.server("myriorama.bootstrap.api:api", MYRIORAMA_SIGN_UP="open") as port,
        closing(HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)) as connection,
        open_pool(house.database_url, size_max=1) as pool,
    ):
        api = Client(connection)
        author, follower = api.sign_up("author"), api.sign_up("follower")
        api.call("PUT", "/v1/accounts/author/follow", follower["access_token"])
        log = EventStore[UUID](mapper=JSONMapper(), recorder=DomainRecorder(pool))
        took_ms = list(_publish(log, api, UUID(author["account_id"]), follower["access_token"]))
        progress(f"published {len(took_ms)} videos, the first {WARM_UP} to warm up")
    visible_ms = took_ms[WARM_UP:]
    figures = {
        "publish_visible_p50_ms": median(visible_ms),
        "publish_visible_p99_ms": percentile(visible_ms, 0.99),
        "publish_visible_max_ms": max(visible_ms),
    }
    return Outcome("e2e", figures, {})


def _publish(
    log: EventStore[UUID], api: "Client", author_id: UUID, follower: str
) -> Iterator[float]:
    """Yield for each video how many milliseconds went by until it was on top of the feed."""
    for _ in range(WARM_UP + VIDEOS):
        time.sleep(random.uniform(0, GAP_S_MAX))  # noqa: S311 - meets the poll at any phase
        event = published(author_id)
        began = time.perf_counter()
        log.put([event], expect={})
        while api.newest(follower) != str(event.originator_id):
            time.sleep(LOOK_EVERY_S)  # looking without pause would take what it looks for its time
            if time.perf_counter() - began > _PATIENCE_S:
                raise ProgramNotAnswering(f"a video is not visible after {_PATIENCE_S:.0f} s")
        yield (time.perf_counter() - began) * 1000


def published(author_id: UUID) -> VideoPublished:
    """Return a video of the author that has just been published."""
    video_id = uuid4()
    return VideoPublished(
        originator_id=video_id,
        originator_version=1,
        timestamp=datetime.now(UTC),
        originator_topic="video",
        author_id=author_id,
        generation_id=uuid4(),
        caption="A fox jumps over a brook.",
        visibility="public",
        remixable=True,
        prompt="a fox jumps over a brook",
        cameo_ids=(),
        remix_of=None,
        root_id=video_id,
        depth=0,
        video_key=f"videos/{video_id}/video.mp4",
        poster_key=f"videos/{video_id}/poster.jpg",
        thumbnail_key=f"videos/{video_id}/thumbnail.jpg",
        width=480,
        height=854,
        duration_ms=4000,
    )


class Client:
    """Calls the API over one connection."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def sign_up(self, handle: str) -> dict[str, str]:
        form = {
            "handle": handle,
            "email": f"{handle}@example.org",
            "password": secrets.token_urlsafe(),
            "age_band": "18+",
        }
        tokens: dict[str, str] = self.call("POST", "/v1/accounts", None, json.dumps(form))
        return tokens

    def newest(self, token: str) -> str | None:
        items = self.call("GET", "/v1/feed?limit=1", token)["items"]
        return str(items[0]["video_id"]) if items else None

    def call(self, method: str, path: str, token: str | None, body: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers["Content-Type"] = "application/json"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:  # noqa: PLR2004 - what HTTP calls no success
            raise ProgramNotAnswering(f"{method} {path}: {answer.status} {content.decode()}")
        return json.loads(content) if content else None
