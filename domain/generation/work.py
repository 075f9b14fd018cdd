"""What crosses between the gate and a worker: the work that was claimed, and what came of it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Casting:
    """A cameo as a worker needs it. `face_key` names an object."""

    name: str
    face_key: str
    voice_pitch_hz: float | None


@dataclass(frozen=True)
class Work:
    """A claimed attempt: what to render, and for how long the worker may be silent about it."""

    generation_id: UUID
    attempt: int
    lease_s: float
    prompt: str
    width: int
    height: int
    seconds: int
    fps: int
    seed: int
    image_key: str | None
    cameos: tuple[Casting, ...]


@dataclass(frozen=True)
class Delivery:
    """What a worker made: object keys, and what the log records of the video."""

    video_key: str
    poster_key: str
    thumbnail_key: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    duration_ms: int
    renderer: str
    gpu_ms: int
