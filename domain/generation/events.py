"""What can happen to a generation.

`attempt` counts from 1 and is the fencing token: what a worker reports under an older attempt
is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class GenerationRequested(InitialEvent):
    """A person asked for a video. `work_class` is "plain", "cameo", "long" or "hires"."""

    TOPIC = "generation.requested"

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
    """The video is there, as a private draft. Keys name objects; `gpu_ms` is what it cost."""

    TOPIC = "generation.completed"

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
    | GenerationCancelled
    | DraftDiscarded
)
