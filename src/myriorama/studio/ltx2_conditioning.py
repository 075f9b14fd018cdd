"""What a clip of the LTX-2 family begins with, goes on from, and ends with."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from myriorama.studio.diffusion import frames_of, require
from myriorama.studio.renderer import Footage, Scene

CONTEXT_FRAMES = 17
"""So many frames at the end of footage are shown to the model: three of its latent frames."""


@dataclass(frozen=True)
class Length:
    """Frames to render: first those of the footage again, which are cut off, then the clip's."""

    context: int
    frames: int

    @property
    def rendered(self) -> int:
        return self.context + self.frames


def length_of(scene: Scene) -> Length:
    """Say how many frames a scene has. A clip that goes on from footage has 8k, others 8k + 1."""
    if scene.footage is None:
        return Length(0, frames_of(scene))
    wanted = max(2, round(scene.seconds * scene.fps))
    return Length(_context(scene.footage), -(-wanted // 8) * 8)


def is_conditioned(scene: Scene) -> bool:
    """Whether it needs more than a prompt and a first image."""
    return scene.footage is not None or scene.last_image is not None


def conditions_of(scene: Scene, size: tuple[int, int]) -> list[Any]:
    """List what holds at which frame, as `LTX2ConditionPipeline` takes it."""
    condition = require("diffusers.pipelines.ltx2.pipeline_ltx2_condition").LTX2VideoCondition
    conditions: list[Any] = []
    if scene.footage is not None:
        frames = scene.footage.frames[-_context(scene.footage) :]
        conditions.append(condition(frames=frames, index=0))
    if scene.image is not None:
        conditions.append(condition(frames=fitted(scene.image, size), index=0))
    if scene.last_image is not None:
        conditions.append(condition(frames=fitted(scene.last_image, size), index=-1))
    return conditions


def fitted(picture: bytes, size: tuple[int, int]) -> Image.Image:
    """Fill a frame with a picture, cut at the sides that are too long."""
    opened = ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")
    return ImageOps.fit(opened, size)


def _context(footage: Footage) -> int:
    # The first frame is encoded alone and the others in groups of eight.
    return (min(len(footage.frames), CONTEXT_FRAMES) - 1) // 8 * 8 + 1
