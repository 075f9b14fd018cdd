"""Drafts in tests: generations that were asked for, claimed and delivered, without rendering."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from domain.generation.aggregate import Generation
from myriorama.store.log import Log


def generation(
    account_id: UUID, *, remix_of: UUID | None = None, cameo_ids: Sequence[UUID] = ()
) -> Generation:
    """Return a generation that is queued."""
    return Generation.request(
        uuid4(),
        account_id=account_id,
        prompt="a fox jumps over a brook",
        seconds=4,
        orientation="portrait",
        resolution="480p",
        seed=7,
        image_upload_id=None,
        cameo_ids=cameo_ids,
        remix_of=remix_of,
        at=datetime.now(UTC),
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


def deliver(made: Generation) -> None:
    """Let a worker deliver what was asked for."""
    at = datetime.now(UTC)
    digest = sha256(made.id.bytes).hexdigest()
    made.dispatch(at=at)
    made.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    made.complete(
        1,
        video_key=f"videos/{digest[:2]}/{digest}.mp4",
        poster_key=f"posters/{digest[:2]}/{digest}.jpg",
        thumbnail_key=f"thumbnails/{digest[:2]}/{digest}.webp",
        sha256=digest,
        size_bytes=1000,
        width=480,
        height=832,
        duration_ms=4000,
        renderer="procedural-1",
        gpu_ms=0,
        at=at,
    )
