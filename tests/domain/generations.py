"""Generations at every stage, made of a wish of Alice's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.generation.aggregate import Generation
from domain.generation.models import Capabilities
from domain.generation.recipe import Recipe
from domain.generation.shapes import SIZES
from domain.generation.work import Delivery, Verdict

ALICE = uuid4()
MALLORY = uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
WISH: dict[str, Any] = {
    "prompt": "a fox leaps over a brook",
    "seconds": 4,
    "orientation": "portrait",
    "resolution": "480p",
    "seed": 7,
    "model": "painter-1",
}
PAINTER = Capabilities(
    model="painter-1",
    seconds_min=2,
    seconds_max=15,
    sizes=SIZES,
    takes_image=True,
    takes_last_image=True,
    takes_cameos=True,
    extends=True,
    speaks=False,
    storyboards=True,
    together_max=1,
    gpu_ms_per_second={"plain": 100, "cameo": 400, "long": 200, "hires": 300},
    is_procedural=False,
)
VIDEO = Delivery(
    video_key="videos/ab/ab.mp4",
    poster_key="posters/ab/ab.jpg",
    thumbnail_key="thumbnails/ab/ab.webp",
    sha256="ab" * 32,
    size_bytes=1000,
    width=480,
    height=832,
    duration_ms=4000,
    renderer="painter-1",
    gpu_ms=0,
    master_key="masters/ab/ab.mp4",
)
OTHER_VIDEO = replace(VIDEO, sha256="cd" * 32)
ALLOWED = Verdict("prompt", "words", "1", "allow")
REFUSED = Verdict("prompt", "words", "1", "refuse", "violence", "“shoots”", "It is violent.")
NUDE = Verdict("frames", "skin", "1", "refuse", "nudity", "Frame 12.", "It shows too much.")
MODERATOR = uuid4()


def requested(
    *, account_id: UUID = ALICE, capabilities: Capabilities = PAINTER, **wish: Any
) -> Generation:
    recipe = Recipe(**{**WISH, **wish})
    return Generation.request(
        uuid4(), recipe, account_id=account_id, capabilities=capabilities, at=NOON
    )


def dispatched() -> Generation:
    generation = requested()
    generation.dispatch(at=NOON)
    return generation


def running(worker: str = "w1") -> Generation:
    generation = dispatched()
    generation.claim(worker, 1, lease=LEASE, at=NOON)
    generation.collect_events()
    return generation


def completed() -> Generation:
    generation = running()
    generation.complete(1, VIDEO, at=NOON)
    return generation


def recorded(generation: Generation) -> list[type]:
    return [type(event) for event in generation.collect_events()]


def prompt_refused() -> Generation:
    generation = requested()
    generation.screen([ALLOWED, REFUSED], at=NOON)
    return generation


def frames_refused() -> Generation:
    generation = running()
    generation.complete(1, replace(VIDEO, verdicts=(NUDE,)), at=NOON)
    return generation
