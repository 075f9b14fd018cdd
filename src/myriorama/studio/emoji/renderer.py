"""The small model as a renderer: from a prompt to two seconds of a square picture with sound."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domain.generation.models import Capabilities
from domain.generation.shapes import SIZES, WORK_CLASSES
from myriorama.studio.diffusion import require
from myriorama.studio.emoji import weights
from myriorama.studio.previews import preview_of
from myriorama.studio.renderer import Clip, OnStep, Scene, UnrenderableScene

CAPABILITIES = Capabilities(
    model=weights.MODEL,
    seconds_min=2,
    seconds_max=2,
    sizes={("square", "480p"): SIZES["square", "480p"]},
    takes_image=False,
    takes_last_image=False,
    takes_cameos=False,
    extends=False,
    speaks=False,
    storyboards=False,
    together_max=4,
    # It needs no GPU; so much of the machine's time, then, for fair shares of it.
    gpu_ms_per_second=dict.fromkeys(WORK_CLASSES, 500),
    is_procedural=False,
)


class EmojiRenderer:
    """Renders with the small model, which is loaded with the first scene.

    It makes 17 frames of 64 x 64 pixels at 8 a second, and no other; they are enlarged to the size
    that is asked for, and stay as soft as they are.
    """

    name = weights.MODEL
    capabilities = CAPABILITIES

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or weights.shipped_folder()
        self._pipeline: Any = None
        self._rendering = Lock()

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return weights.digest(self._folder)

    def render(self, scene: Scene, on_step: OnStep) -> Clip:
        return self.render_together([scene], on_step)[0]

    def render_together(self, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
        """Render scenes at once. Their pictures do not depend on who else is rendered.

        Raises:
            UnrenderableScene: a scene asks for more than a prompt, or for another shape.
            WorkerExtraMissing: torch, diffusers or MiniLM's wheel is not installed.
        """
        for scene in scenes:
            _require(scene)
        with self._rendering:
            return self._rendered(scenes, on_step)

    def _rendered(self, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
        # The programs below need torch, which the API has not.
        from myriorama.studio.emoji import pipeline as pipelines  # noqa: PLC0415
        from myriorama.studio.emoji import sampling  # noqa: PLC0415
        from myriorama.studio.emoji.architecture import SAMPLE_RATE_HZ  # noqa: PLC0415
        from myriorama.studio.emoji.scripts import FPS  # noqa: PLC0415

        torch = require("torch")
        if self._pipeline is None:
            self._pipeline = pipelines.opened(self._folder)
        pipeline = self._pipeline

        def look(step: int, latents: Any) -> None:
            def preview() -> NDArray[np.uint8]:
                with torch.no_grad():
                    shape = (len(scenes), 5, 4, 4, -1)
                    seen = pipeline.vae.decode(
                        latents.reshape(shape).movedim(-1, 1), return_dict=False
                    )[0]
                clips = _pixels(seen.movedim(1, 2) / 2 + 0.5)
                return np.concatenate([preview_of(clip) for clip in clips])

            on_step(step, sampling.STEPS, preview)

        frames, sound = sampling.sample(
            pipeline,
            [scene.prompt for scene in scenes],
            [scene.seed for scene in scenes],
            look=look,
        )
        return [
            Clip(
                frames=_enlarged(clip, scene.width, scene.height),
                fps=FPS,
                sound=np.clip(heard.numpy(), -1, 1, dtype=np.float32),
                sample_rate_hz=SAMPLE_RATE_HZ,
            )
            for scene, clip, heard in zip(scenes, _pixels(frames), sound, strict=True)
        ]


def _require(scene: Scene) -> None:
    size = CAPABILITIES.sizes["square", "480p"]
    if (scene.width, scene.height) != size:
        raise UnrenderableScene(f"{weights.MODEL} renders {size.width}x{size.height} pixels only")
    if not CAPABILITIES.seconds_min <= scene.seconds <= CAPABILITIES.seconds_max:
        raise UnrenderableScene(f"{weights.MODEL} renders {CAPABILITIES.seconds_max} seconds only")
    conditions = (scene.image, scene.last_image, scene.footage, scene.cameos, scene.speech)
    if any(conditions):
        raise UnrenderableScene(f"{weights.MODEL} renders from a prompt alone")


def _pixels(frames: Any) -> NDArray[np.uint8]:
    """From `(clips, frames, 3, h, w)` within [0, 1] to RGB `(clips, frames, h, w, 3)`."""
    seen: NDArray[np.float32] = frames.movedim(2, -1).clamp(0, 1).numpy()
    return np.rint(seen * 255).astype(np.uint8)


def _enlarged(frames: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    lanczos = Image.Resampling.LANCZOS
    return np.stack(
        [np.asarray(Image.fromarray(frame).resize((width, height), lanczos)) for frame in frames]
    )
