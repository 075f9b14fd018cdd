"""Lips that follow what is said: while the picture is denoised, the sound is held to the speech.

The transformer denoises picture and sound together, and each listens to the other. When it is told
that the sound is finished already, only the picture is left to be made to fit.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.diffusion import require
from myriorama.studio.hearing import latents_of, stereo
from myriorama.studio.ltx2_conditioning import Length
from myriorama.studio.ltx2_model import LTX2Model
from myriorama.studio.renderer import Scene


@contextmanager
def followed(model: LTX2Model, scene: Scene, length: Length) -> Generator[None]:
    """Hold the sound to the scene's speech while the context is open, if it has any."""
    if scene.speech is None:
        yield
        return
    pipeline = model.text_to_video
    rate = int(pipeline.audio_sampling_rate)
    silent = round(length.context / scene.fps * rate)
    # A little longer than the clip: what is too long is cut to the clip's number of steps.
    spoken = _padded(
        stereo(scene.speech, rate), silent, round((length.rendered / scene.fps + 1) * rate)
    )
    tokens = latents_of(pipeline, spoken).transpose(1, 2).flatten(2, 3)

    def hold(_: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        sound = named["audio_hidden_states"]
        clean = tokens[:, : sound.shape[1]].to(sound).expand(len(sound), -1, -1)
        finished = require("torch").zeros(len(sound), device=sound.device)
        held = {"audio_hidden_states": clean, "audio_timestep": finished, "audio_sigma": finished}
        return positional, {**named, **held}

    hook = pipeline.transformer.register_forward_pre_hook(hold, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


def heard(scene: Scene, *, seconds: float, rate_hz: int) -> NDArray[np.float32] | None:
    """Return the speech as the sound of the clip, if there is any: stereo of the clip's length."""
    if scene.speech is None:
        return None
    return _padded(stereo(scene.speech, rate_hz), 0, round(seconds * rate_hz))


def _padded(samples: NDArray[np.float32], before: int, length: int) -> NDArray[np.float32]:
    padded = np.zeros((2, length), np.float32)
    part = samples[:, : max(0, length - before)]
    padded[:, before : before + part.shape[1]] = part
    return padded
