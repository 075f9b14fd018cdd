"""Marked videos in tests: small, real, signed by the house of the test, and its drafts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.generation.work import Delivery, watermark_of
from myriorama.bootstrap.marks import credentials_of, watermark_key
from myriorama.settings import WorkerSettings
from myriorama.store.log import Log
from myriorama.store.objects import content_key, open_objects
from myriorama.studio.encoding import encode
from myriorama.studio.manifest import Claim, sign
from myriorama.studio.marking import burn_mark
from myriorama.studio.perceptual import perceptual_hash
from myriorama.studio.renderer import Clip
from myriorama.studio.watermark import Watermark
from tests.drafts import generation

FPS = 24


@dataclass(frozen=True)
class Flaws:
    """What is left out of a file, or is another's."""

    unsigned: bool = False
    unmarked: bool = False
    unseen: bool = False
    marked_for: UUID | None = None
    signed_for: UUID | None = None


NO_FLAWS = Flaws()


def frames(seed: int = 0, *, count: int = 48, side: int = 320) -> NDArray[np.uint8]:
    """Return smooth shapes that drift slowly over one another."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    picture = np.zeros((count, side, side, 3))
    for _ in range(6):
        u, v, w, phase = dice.uniform(1, 7, 4)
        colour = dice.uniform(-30, 30, 3)
        for at in range(count):
            wave = np.sin(u * x * 3 + v * y * 3 + phase + at / count * w / 3)
            picture[at] += wave[..., None] * colour
    return np.clip(picture + 120, 0, 255).astype(np.uint8)


def marked_file(
    settings: WorkerSettings, generation_id: UUID, folder: Path, flaws: Flaws = NO_FLAWS
) -> tuple[Path, str]:
    """Make a video as the worker does; return it with its perceptual hash."""
    shown = frames(generation_id.int % 2**32)
    if not flaws.unseen:
        burn_mark(shown)
    if not flaws.unmarked:
        payload = int(watermark_of(flaws.marked_for or generation_id), 16)
        Watermark(watermark_key(settings).encode()).embed(shown, payload, fps=FPS)
    folder.mkdir(parents=True, exist_ok=True)
    clip = Clip(shown, FPS, np.zeros((2, 2 * 48_000), np.float32), 48_000)
    encoded = encode(clip, folder, prefix=generation_id.hex).video
    signed = folder / f"{generation_id.hex}-signed.mp4"
    claim = Claim(
        generation_id=flaws.signed_for or generation_id,
        title="A generated video",
        model="procedural-1",
        model_digest="0" * 64,
        is_procedural=True,
        prompt_commitment="0" * 64,
        watermark=watermark_of(generation_id),
    )
    if flaws.unsigned:
        return encoded, f"{perceptual_hash(shown):016x}"
    sign(encoded, signed, claim, credentials_of(settings))
    return signed, f"{perceptual_hash(shown):016x}"


def stored(
    settings: WorkerSettings, generation_id: UUID, folder: Path, flaws: Flaws = NO_FLAWS
) -> Delivery:
    """Store a video with its pictures as the worker does; return what it tells of them."""
    path, looks = marked_file(settings, generation_id, folder, flaws)
    content = path.read_bytes()
    digest = sha256(content).hexdigest()
    objects = open_objects(settings.objects)
    keys: dict[str, str] = {}
    for kind, suffix, media_type in _KINDS:
        part = content if kind == "videos" else f"{kind} of {generation_id}".encode()
        keys[kind] = content_key(kind, sha256(part).hexdigest(), suffix)
        objects.put(keys[kind], part, media_type=media_type)
    return Delivery(
        video_key=keys["videos"],
        poster_key=keys["posters"],
        thumbnail_key=keys["thumbnails"],
        sprite_key=keys["sprites"],
        master_key=keys["masters"],
        sha256=digest,
        size_bytes=len(content),
        width=320,
        height=320,
        duration_ms=2000,
        renderer="procedural-1",
        gpu_ms=0,
        watermark=watermark_of(generation_id),
        perceptual_hash=looks,
    )


_KINDS = (
    ("videos", ".mp4", "video/mp4"),
    ("posters", ".jpg", "image/jpeg"),
    ("thumbnails", ".webp", "image/webp"),
    ("sprites", ".webp", "image/webp"),
    ("masters", ".mp4", "video/mp4"),
)


def marked_draft(
    log: Log,
    settings: WorkerSettings,
    account_id: UUID,
    folder: Path,
    flaws: Flaws = NO_FLAWS,
) -> tuple[UUID, Delivery]:
    """Record a draft whose files are there."""
    made, at = generation(account_id), datetime.now(UTC)
    delivery = stored(settings, made.id, folder, flaws)
    made.dispatch(at=at)
    made.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    made.complete(1, delivery, at=at)
    log.save(made)
    return made.id, delivery
