"""What all models of diffusers have in common: how they are imported, placed and run.

torch and diffusers belong to the `worker` extra, and are imported when a model is first loaded.
"""

import importlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from myriorama.studio.renderer import Clip, GPUMemoryExhausted, Scene

SIGMAS = (1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875)
"""The noise levels that the distilled weights were trained on: eight steps, without guidance."""

# The defaults are those of the full model: four passes a step, which the distilled one neither
# needs nor bears.
WITHOUT_GUIDANCE: dict[str, Any] = {
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


def clip_of(scene: Scene, frames: Any, sound: Any, *, sample_rate_hz: int) -> Clip:
    """Make a clip of what a pipeline gives: frames in [0, 1], and a tensor of stereo sound."""
    return Clip(
        frames=np.rint(np.clip(frames, 0, 1) * 255).astype(np.uint8),
        fps=scene.fps,
        sound=np.clip(sound.float().cpu().numpy(), -1, 1, dtype=np.float32),
        sample_rate_hz=sample_rate_hz,
    )


@contextmanager
def within_gpu_memory() -> Generator[None]:
    """Tell a GPU whose memory does not suffice from everything else that may go wrong.

    Raises:
        GPUMemoryExhausted: it does not suffice.
    """
    torch = require("torch")
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GPUMemoryExhausted(str(error)) from error
