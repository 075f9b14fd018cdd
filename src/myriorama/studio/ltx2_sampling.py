"""Clips by the LTX-2 family: denoised in one stage, or, large ones, in two."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from myriorama.studio import speech_guide
from myriorama.studio.diffusion import SIGMAS, WITHOUT_GUIDANCE, clip_of, require
from myriorama.studio.ltx2_conditioning import (
    Length,
    conditions_of,
    fitted,
    is_conditioned,
    length_of,
)
from myriorama.studio.ltx2_model import LTX2Model
from myriorama.studio.renderer import Clip, OnStep, Scene

LARGE_SIGMAS = (0.909375, 0.725, 0.421875)
"""The noise levels of the second stage, which adds detail to what the first one made."""


@dataclass(frozen=True)
class Stage:
    """One denoising of some scenes of one shape. `done` of `total` steps came before it."""

    scenes: Sequence[Scene]
    size: tuple[int, int]
    length: Length
    sigmas: Sequence[float]
    done: int
    total: int
    on_step: OnStep


def sample(model: LTX2Model, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
    """Render scenes of one shape in one stage."""
    scene, length = scenes[0], length_of(scenes[0])
    size = (scene.width, scene.height)
    stage = Stage(scenes, size, length, SIGMAS, 0, len(SIGMAS), on_step)
    return _clips(stage, model, _denoised(stage, model, output_type="np"))


def sample_large(model: LTX2Model, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
    """Render scenes of one shape at half their size, enlarge the latents, and add the detail."""
    scene, length = scenes[0], length_of(scenes[0])
    total = len(SIGMAS) + len(LARGE_SIGMAS)
    half = (scene.width // 2, scene.height // 2)
    small = Stage(scenes, half, length, SIGMAS, 0, total, on_step)
    draft = _denoised(small, model, output_type="latent")
    enlarged = model.upsample(latents=draft.frames, output_type="latent", return_dict=False)[0]
    full = (scene.width, scene.height)
    large = Stage(scenes, full, length, LARGE_SIGMAS, len(SIGMAS), total, on_step)
    latents = {"latents": enlarged.float(), "audio_latents": draft.audio.float()}
    return _clips(large, model, _denoised(large, model, output_type="np", **latents))


def noise_of(scene: Scene) -> Any:
    """From the CPU, so that a seed means the same noise on every device."""
    return require("torch").Generator().manual_seed(scene.seed)


class Watch:
    """Hears from a pipeline after every step; tells how far it is, and what it would come to."""

    def __init__(self, stage: Stage, model: LTX2Model) -> None:
        self._stage = stage
        self._model = model
        self._before: Any = None

    def __call__(self, _: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        stage, now = self._stage, tensors["latents"]
        # What is noise and what is picture is seen from two steps; after one, nothing is.
        preview = None if self._before is None else partial(self._preview, self._before, now, step)
        # What this raises leaves the pipeline at once, and the pipeline stays usable.
        stage.on_step(stage.done + step + 1, stage.total, preview)
        self._before = now
        return tensors

    def _preview(self, before: Any, now: Any, step: int) -> Any:
        levels = [*self._stage.sigmas, 0.0]
        velocity = (now - before) / (levels[step + 1] - levels[step])
        frames, rows, columns = self._model.latent_shape(
            *self._stage.size, self._stage.length.rendered
        )
        # Latents come as a row of cells; what conditions them from elsewhere stands at its end.
        cells = (now - levels[step + 1] * velocity)[:, : frames * rows * columns]
        latents = cells.unflatten(1, (frames, rows, columns)).movedim(-1, 1)
        skipped = -(-self._stage.length.context // 8)
        return self._model.colours.preview(latents, skipped=skipped)


def _denoised(stage: Stage, model: LTX2Model, *, output_type: str, **latents: Any) -> Any:
    scenes, scene = stage.scenes, stage.scenes[0]
    width, height = stage.size
    pipeline, conditions = _conditioned(stage, model, is_second=bool(latents))
    if latents and pipeline is model.text_to_video:
        latents["noise_scale"] = stage.sigmas[0]
    model.decode_in_tiles(width, height, stage.length.rendered)
    noise = [noise_of(scene) for scene in scenes]
    with speech_guide.followed(model, scene, stage.length):
        return pipeline(
            **model.prompts.encoded([scene.prompt for scene in scenes]),
            **conditions,
            **latents,
            **WITHOUT_GUIDANCE,
            sigmas=list(stage.sigmas),
            num_inference_steps=len(stage.sigmas),
            width=width,
            height=height,
            num_frames=stage.length.rendered,
            frame_rate=float(scene.fps),
            generator=noise if len(scenes) > 1 else noise[0],
            output_type=output_type,
            callback_on_step_end=Watch(stage, model),
        )


def _conditioned(stage: Stage, model: LTX2Model, *, is_second: bool) -> tuple[Any, dict[str, Any]]:
    """Choose the pipeline for a scene, and its arguments for what the clip is held to."""
    scene = stage.scenes[0]
    in_stages = is_second or stage.total > len(stage.sigmas)
    if is_conditioned(scene) or (scene.image is not None and in_stages):
        return model.conditioned, {"conditions": conditions_of(scene, stage.size)}
    if scene.image is not None:
        return model.image_to_video, {"image": fitted(scene.image, stage.size)}
    return model.text_to_video, {}


def _clips(stage: Stage, model: LTX2Model, rendered: Any) -> list[Clip]:
    """Cut off what the clips went on from, in picture and sound."""
    rate = model.sample_rate_hz
    context = stage.length.context
    cut = round(context / stage.scenes[0].fps * rate)
    clips: list[Clip] = []
    for scene, frames, sound in zip(stage.scenes, rendered.frames, rendered.audio, strict=True):
        clip = clip_of(scene, frames[context:], sound[:, cut:], sample_rate_hz=rate)
        spoken = speech_guide.heard(scene, seconds=clip.seconds, rate_hz=rate)
        clips.append(clip if spoken is None else replace(clip, sound=spoken))
    return clips
