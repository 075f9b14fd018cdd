"""What crosses between the gate and a worker: the work that was claimed, and what came of it."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from uuid import UUID

from domain.generation.recipe import Shot

_WATERMARK_BYTES = 8


@dataclass(frozen=True)
class Casting:
    """A cameo as a worker needs it. Keys name objects; without a `voice` the pitch chooses one."""

    name: str
    face_key: str
    voice_pitch_hz: float | None
    cameo_id: UUID | None = None
    voice_key: str | None = None
    voice: str = ""


@dataclass(frozen=True)
class ConsentReference:
    """On what the casting of a cameo rests: whose it is, and the rule that allowed it."""

    cameo_id: UUID
    owner_id: UUID
    permission: str


@dataclass(frozen=True)
class Work:
    """A claimed attempt: what to render, and for how long the worker may be silent about it.

    Keys name objects; those of masters are empty where none was kept. `extends_key` is what the
    video goes on from, `stitch_keys` are what it is joined of, in order, `stitch_captions` their
    captions, and `stitch_transcripts` what is said in them; `rerolled_key` is where all shots but
    the one at `rerolls` come from. `watermark` is what the picture is to carry.
    """

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
    model: str = "procedural-1"
    shots: tuple[Shot, ...] = ()
    last_image_key: str | None = None
    extends_key: str | None = None
    stitch_keys: tuple[str, ...] = ()
    stitch_captions: tuple[str | None, ...] = ()
    stitch_transcripts: tuple[str, ...] = ()
    rerolls: int | None = None
    rerolled_key: str | None = None
    parent_video_key: str | None = None
    parent_title: str | None = None
    consents: tuple[ConsentReference, ...] = ()
    watermark: str = ""
    prompt_commitment: str = ""
    """What the manifest says of the prompt: it tells nothing, until the house proves it."""
    is_last: bool = False
    """Whether the generation fails with this attempt."""


@dataclass(frozen=True)
class Verdict:
    """What one check of the screening said; `code` is stable, and empty where it allows.

    `words` are what people are told of a refusal; `detail` is what gave rise to it, for the log.
    """

    stage: Literal["prompt", "frames", "transcript"]
    check: str
    version: str
    verdict: Literal["allow", "refuse"]
    code: str = ""
    detail: str = ""
    words: str = ""


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
    master_key: str = ""
    sprite_key: str = ""
    captions_key: str | None = None
    model_digest: str = ""
    watermark: str = ""
    perceptual_hash: str = ""
    manifest_id: str = ""
    transcript: str | None = None
    encode_ms: int = 0
    verdicts: tuple[Verdict, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All the objects that there have to be."""
        named = (self.video_key, self.poster_key, self.thumbnail_key, self.master_key)
        return tuple(key for key in (*named, self.sprite_key, self.captions_key) if key)


def watermark_of(generation_id: UUID) -> str:
    """Return what the picture of a generation carries unseen: 64 bits as 16 hex digits."""
    return sha256(generation_id.bytes).digest()[:_WATERMARK_BYTES].hex()
