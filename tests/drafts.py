"""Drafts in tests: generations that were asked for, claimed and delivered, without rendering."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from domain.generation.aggregate import Generation
from domain.generation.events import GenerationCompleted
from domain.generation.recipe import Recipe
from domain.generation.work import Delivery, Verdict
from myriorama.store.log import Log
from myriorama.studio.procedural import CAPABILITIES


def generation(
    account_id: UUID, *, remix_of: UUID | None = None, cameo_ids: Sequence[UUID] = ()
) -> Generation:
    """Return a generation that is queued."""
    recipe = Recipe(
        prompt="a fox jumps over a brook",
        seconds=4,
        orientation="portrait",
        resolution="480p",
        seed=7,
        model=CAPABILITIES.model,
        cameo_ids=tuple(cameo_ids),
        remix_of=remix_of,
    )
    return Generation.request(
        uuid4(), recipe, account_id=account_id, capabilities=CAPABILITIES, at=datetime.now(UTC)
    )


def draft(
    log: Log,
    account_id: UUID,
    *,
    remix_of: UUID | None = None,
    cameo_ids: Sequence[UUID] = (),
) -> UUID:
    """Record a generation up to the private draft; return its ID."""
    made = generation(account_id, remix_of=remix_of, cameo_ids=cameo_ids)
    deliver(made)
    log.save(made)
    return made.id


def deliver(made: Generation, *, gpu_ms: int = 0, verdicts: Sequence[Verdict] = ()) -> None:
    """Let a worker deliver what was asked for."""
    at = datetime.now(UTC)
    digest = sha256(made.id.bytes).hexdigest()
    made.dispatch(at=at)
    made.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    delivery = Delivery(
        video_key=f"videos/{digest[:2]}/{digest}.mp4",
        poster_key=f"posters/{digest[:2]}/{digest}.jpg",
        thumbnail_key=f"thumbnails/{digest[:2]}/{digest}.webp",
        sha256=digest,
        size_bytes=1000,
        width=480,
        height=832,
        duration_ms=4000,
        renderer="procedural-1",
        gpu_ms=gpu_ms,
        master_key=f"masters/{digest}.mp4",
        verdicts=tuple(verdicts),
    )
    made.complete(1, delivery, at=at)


def nothing_missing(_generation_id: UUID, _draft: GenerationCompleted, /) -> None:
    """Stand at the gate of publication where drafts have no files; tests of the gate do not."""
