"""What can happen to a generation.

`attempt` counts from 1 and is the fencing token: what a worker reports under an older attempt
is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent
from domain.generation.recipe import Shot


@dataclass(frozen=True)
class GenerationRequested(InitialEvent):
    """A person asked for a video. `work_class` is "plain", "cameo", "long" or "hires".

    What `recipe.Recipe` says of its fields holds here. `estimate_ms` is what it was thought to
    take of a GPU.
    """

    TOPIC = "generation.requested"
    class_version = 2

    account_id: UUID
    prompt: str
    seconds: int
    orientation: str
    resolution: str
    width: int
    height: int
    seed: int
    image_upload_id: UUID | None
    cameo_ids: tuple[UUID, ...]
    remix_of: UUID | None
    work_class: str
    model: str
    shots: tuple[Shot, ...]
    last_image_upload_id: UUID | None
    extends: UUID | None
    stitches: tuple[UUID, ...]
    remake_of: UUID | None
    rerolls: int | None
    estimate_ms: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state |= {"model": "procedural-1", "shots": [], "stitches": [], "estimate_ms": 0}
        state |= dict.fromkeys(("last_image_upload_id", "extends", "remake_of", "rerolls"))


@dataclass(frozen=True)
class GenerationDispatched(Event):
    """The dispatcher put the command for this attempt on its queue."""

    TOPIC = "generation.dispatched"

    attempt: int


@dataclass(frozen=True)
class GenerationStarted(Event):
    """A worker claimed the attempt and holds it until `lease_expires_at`."""

    TOPIC = "generation.started"

    attempt: int
    worker: str
    lease_expires_at: datetime


@dataclass(frozen=True)
class LeaseExtended(Event):
    """The worker is alive: it holds the attempt until `lease_expires_at`."""

    TOPIC = "generation.lease_extended"

    attempt: int
    lease_expires_at: datetime


@dataclass(frozen=True)
class LeaseExpired(Event):
    """The worker fell silent. The generation waits for its next attempt, or fails with its last."""

    TOPIC = "generation.lease_expired"

    attempt: int


@dataclass(frozen=True)
class AttemptFailed(Event):
    """The worker could not finish this attempt. The generation waits for its next one."""

    TOPIC = "generation.attempt_failed"

    attempt: int
    reason: str
    detail: str


@dataclass(frozen=True)
class GenerationCompleted(Event):
    """The video is there, as a private draft. Keys name objects; `gpu_ms` is what it cost.

    The master is the video without its marks, from which others go on; nobody is shown it.
    `watermark` and `perceptual_hash` are 64 bits each, as hex digits; what is empty is not there.
    """

    TOPIC = "generation.completed"
    class_version = 2

    attempt: int
    video_key: str
    poster_key: str
    thumbnail_key: str
    sha256: str
    bytes: int
    width: int
    height: int
    duration_ms: int
    renderer: str
    gpu_ms: int
    master_key: str
    sprite_key: str
    captions_key: str | None
    model_digest: str
    watermark: str
    perceptual_hash: str
    manifest_id: str
    transcript: str | None
    encode_ms: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state |= dict.fromkeys(("master_key", "sprite_key", "model_digest", "manifest_id"), "")
        state |= dict.fromkeys(("watermark", "perceptual_hash"), "")
        state |= {"captions_key": None, "transcript": None, "encode_ms": 0}


@dataclass(frozen=True)
class GenerationFailed(Event):
    """No video will come of it, through no fault of the person. `reason` is a stable code."""

    TOPIC = "generation.failed"

    attempt: int
    reason: str
    detail: str


@dataclass(frozen=True)
class GenerationRefused(Event):
    """A rule stopped it after it was asked for: a cameo's consent was gone, say."""

    TOPIC = "generation.refused"

    reason: str
    detail: str


@dataclass(frozen=True)
class GenerationScreened(Event):
    """A check looked at the "prompt", the "frames" or the "transcript".

    Its verdict is "allow" or "refuse"; `code` is stable, and empty where it allows. `detail` is
    what gave rise to a refusal.
    """

    TOPIC = "generation.screened"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"detail"})

    stage: str
    check: str
    version: str
    verdict: str
    code: str
    detail: str


@dataclass(frozen=True)
class GenerationAppealed(Event):
    """The person holds that a check was wrong to refuse it."""

    TOPIC = "generation.appealed"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"statement"})

    statement: str


@dataclass(frozen=True)
class AppealDecided(Event):
    """A moderator let the refusal stand, or overturned it.

    Overturned, a video that is there becomes a draft; one that is not waits to be made after all.
    """

    TOPIC = "generation.appeal_decided"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"note"})

    by: UUID
    overturned: bool
    note: str


@dataclass(frozen=True)
class GenerationCancelled(Event):
    """The person stopped it."""

    TOPIC = "generation.cancelled"


@dataclass(frozen=True)
class DraftDiscarded(Event):
    """The person threw the draft away."""

    TOPIC = "generation.draft_discarded"


GenerationEvent = (
    GenerationRequested
    | GenerationDispatched
    | GenerationStarted
    | LeaseExtended
    | LeaseExpired
    | AttemptFailed
    | GenerationCompleted
    | GenerationFailed
    | GenerationRefused
    | GenerationScreened
    | GenerationAppealed
    | AppealDecided
    | GenerationCancelled
    | DraftDiscarded
)
