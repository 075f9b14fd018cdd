"""The LTX-2 family of video models: picture and sound from one denoising, through diffusers.

torch and diffusers belong to the `worker` extra, and are imported when a model is first loaded.
"""

import gc
import importlib
import io
import os
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from myriorama.studio.renderer import Clip, OnStep, Scene, UnrenderableScene

SIGMAS = (1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875)
"""The noise levels that the distilled weights were trained on: eight steps, without guidance."""


class LTX2Renderer:
    """Renders with the LTX-2 weights in a folder, which are loaded with the first scene.

    Text to video and image to video share the same weights. Nothing is ever downloaded. One scene
    is rendered at a time.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        self.name = name
        self._folder = folder
        self._pipeline: Any = None
        self._rendering = Lock()

    def render(self, scene: Scene, on_step: OnStep) -> Clip:
        """Render a clip of 8k + 1 frames, as these models do: never shorter than was asked for.

        Raises:
            UnrenderableScene: the scene has cameos; these weights cannot keep to a likeness.
            WorkerExtraMissing: torch or diffusers is not installed.
        """
        if scene.cameos:
            raise UnrenderableScene(f"{self.name} cannot cast cameos")
        with self._rendering:
            return self._render(scene, on_step)

    def load(self) -> None:
        """Load the weights now, so that the first scene need not wait for them."""
        with self._rendering:
            self._load()

    def unload(self) -> None:
        """Give the memory back. The next scene loads the weights again."""
        with self._rendering:
            self._pipeline = None
            gc.collect()

    def _render(self, scene: Scene, on_step: OnStep) -> Clip:
        torch, pipeline = require("torch"), self._load()

        def step_ended(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            # What this raises leaves the pipeline at once, and the pipeline stays usable.
            on_step(step + 1, len(SIGMAS), None)
            return tensors

        conditions: dict[str, Any] = {}
        if scene.image is not None:
            kind = require_diffusers().LTX2ImageToVideoPipeline
            pipeline = kind(**pipeline.components)
            pipeline.set_progress_bar_config(disable=True)
            conditions["image"] = _first_frame(scene, scene.image)
        rendered = pipeline(
            **conditions,
            prompt=scene.prompt,
            width=scene.width,
            height=scene.height,
            num_frames=frames_of(scene),
            frame_rate=float(scene.fps),
            # From the CPU, so that a seed means the same noise on every device.
            generator=torch.Generator().manual_seed(scene.seed),
            output_type="np",
            callback_on_step_end=step_ended,
            **_DISTILLED,
        )
        frames = np.rint(np.clip(rendered.frames[0], 0, 1) * 255).astype(np.uint8)
        sound = rendered.audio[0].float().cpu().numpy()
        return Clip(
            frames=frames,
            fps=scene.fps,
            sound=np.clip(sound, -1, 1, dtype=np.float32),
            sample_rate_hz=int(pipeline.vocoder.config.output_sampling_rate),
        )

    def _load(self) -> Any:
        if self._pipeline is None:
            torch, diffusers = require("torch"), require_diffusers()
            has_gpu = torch.cuda.is_available()
            pipeline = diffusers.LTX2Pipeline.from_pretrained(
                self._folder,
                dtype=torch.bfloat16 if has_gpu else torch.float32,
                local_files_only=True,
            )
            pipeline.set_progress_bar_config(disable=True)
            self._pipeline = pipeline.to("cuda" if has_gpu else "cpu")
        return self._pipeline


class WorkerExtraMissing(ImportError):
    """A library of the `worker` extra is not installed."""


def require(library: str) -> Any:
    """Import a library of the `worker` extra.

    Raises:
        WorkerExtraMissing: it is not installed.
    """
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as missing:
        raise WorkerExtraMissing(
            f"{missing.name} is not installed; run `pip install 'myriorama[worker]'`"
        ) from missing


def require_diffusers() -> Any:
    """Import diffusers, offline and without its progress bars.

    Raises:
        WorkerExtraMissing: it is not installed.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # Read when it is imported.
    diffusers, transformers = require("diffusers"), require("transformers")
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
    return diffusers


def frames_of(scene: Scene) -> int:
    """How many frames a scene has: the first one, and then whole groups of eight."""
    wanted = max(2, round(scene.seconds * scene.fps))
    return -(-(wanted - 1) // 8) * 8 + 1


# The defaults are those of the full model: four passes a step, which the distilled one neither
# needs nor bears.
_DISTILLED: dict[str, Any] = {
    "sigmas": list(SIGMAS),
    "num_inference_steps": len(SIGMAS),
    "guidance_scale": 1.0,
    "stg_scale": 0.0,
    "modality_scale": 1.0,
    "guidance_rescale": 0.0,
    "audio_guidance_scale": 1.0,
    "audio_stg_scale": 0.0,
    "audio_modality_scale": 1.0,
    "audio_guidance_rescale": 0.0,
    "spatio_temporal_guidance_blocks": None,
}


def _first_frame(scene: Scene, picture: bytes) -> Image.Image:
    opened = ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")
    return ImageOps.fit(opened, (scene.width, scene.height))
