"""Cameos by the LTX-2 family: Echo's memory slots hold the faces and the voices of who is cast.

The blocks are those of diffusers, over the weights that are loaded already. Pictures, sound and
prompt are encoded here, and every step is told, which theirs do not do.
"""

from functools import partial
from typing import Any

from myriorama.studio.diffusion import SIGMAS, clip_of, require, require_diffusers
from myriorama.studio.hearing import latents_of, loudest, stereo
from myriorama.studio.latent_colours import normalised
from myriorama.studio.ltx2_conditioning import fitted, length_of
from myriorama.studio.ltx2_model import LTX2Model
from myriorama.studio.ltx2_sampling import noise_of
from myriorama.studio.renderer import Clip, OnStep, Scene, UnrenderableScene

CAST_MAX = 7
"""So many memory slots there are."""

_VOICE_S = 9.62


def sample_cast(model: LTX2Model, scene: Scene, on_step: OnStep) -> Clip:
    """Render a scene with cameos. What it goes on from is its first frame alone.

    Raises:
        UnrenderableScene: there are too many cameos, or the clip should end with an image.
    """
    if len(scene.cameos) > CAST_MAX or scene.last_image is not None:
        raise UnrenderableScene(
            f"up to {CAST_MAX} cameos can be cast, and not where a clip ends with an image"
        )
    length, size = length_of(scene), (scene.width, scene.height)
    # Of footage the last frame is shown again, as the first one, and cut off.
    context = 1 if length.context else 0
    frames = context + length.frames
    pipeline = _pipeline(model, _Told(model, on_step, (*size, frames)))
    model.decode_in_tiles(*size, frames)
    rendered = pipeline(
        **model.prompts.encoded([scene.prompt]),
        **_memory(model, scene),
        first_frame_latents=_first_frame(model, scene),
        width=scene.width,
        height=scene.height,
        num_frames=frames,
        frame_rate=float(scene.fps),
        generator=noise_of(scene),
        sigmas=[*SIGMAS, 0.0],
        output_type="np",
        output=["videos", "audio"],
    )
    rate = model.sample_rate_hz
    cut = round(context / scene.fps * rate)
    return clip_of(
        scene,
        rendered["videos"][0][context:],
        rendered["audio"][0][:, cut:],
        sample_rate_hz=rate,
    )


class _Told:
    """Hears what each step predicts."""

    def __init__(self, model: LTX2Model, on_step: OnStep, shape: tuple[int, int, int]) -> None:
        self._model = model
        self._on_step = on_step
        self._shape = shape

    def step(self, step: int, predicted: Any) -> None:
        self._on_step(step + 1, len(SIGMAS), partial(self._preview, predicted))

    def _preview(self, predicted: Any) -> Any:
        grid = self._model.latent_shape(*self._shape)
        latents = predicted.unflatten(1, grid).movedim(-1, 1)
        return self._model.colours.preview(latents, skipped=0)


def _pipeline(model: LTX2Model, told: _Told) -> Any:
    modular = require_diffusers().modular_pipelines.modular_pipeline
    echo = require("diffusers.modular_pipelines.echo.modular_blocks_echo")
    encoders = require("diffusers.modular_pipelines.echo.encoders")

    class TellStep(modular.ModularPipelineBlocks):  # type: ignore[misc, name-defined]  # diffusers has no types
        """Tells what a step came to."""

        model_name = "echo"
        description = "Tells what a step came to."
        inputs: list[Any] = []  # noqa: RUF012 - as the base class has it

        def __call__(self, components: Any, block_state: Any, i: int, sigma: float) -> Any:
            del sigma
            told.step(i, block_state.predicted_video_x0)
            return components, block_state

    loop = echo.EchoDenoiseLoopStep()
    loop.sub_blocks["tell"] = TellStep()
    blocks = modular.SequentialPipelineBlocks.from_blocks_dict(
        {
            "connect": encoders.EchoTextConnectorStep(),
            "prepare_conditioning": echo.EchoPrepareConditioningStep(),
            "input": echo.EchoInputsStep(),
            "prepare_latents": echo.EchoPrepareLatentsStep(),
            "denoise_loop": loop,
            "after_denoise": echo.EchoUnpackLatentsStep(),
            "video_decode": echo.EchoVaeDecoderStep(),
            "audio_decode": echo.EchoAudioDecoderStep(),
        }
    )
    loop.set_progress_bar_config(disable=True)
    pipeline = blocks.init_pipeline()
    wanted, have = set(pipeline.blocks.component_names), model.text_to_video.components
    pipeline.update_components(
        **{name: part for name, part in have.items() if name in wanted and part is not None}
    )
    return pipeline


def _memory(model: LTX2Model, scene: Scene) -> dict[str, Any]:
    """Fill a slot for each cameo: the face, and the voice where one was recorded."""
    pipeline, size = model.text_to_video, (scene.width, scene.height)
    rate = int(pipeline.audio_sampling_rate)
    faces = [_encoded(model, fitted(cameo.image, size)) for cameo in scene.cameos]
    voices = [
        None
        if cameo.voice is None
        else latents_of(pipeline, loudest(stereo(cameo.voice, rate), round(_VOICE_S * rate)))
        for cameo in scene.cameos
    ]
    return {
        "memory_video_latents": faces or None,
        "memory_audio_latents": voices if any(voice is not None for voice in voices) else None,
    }


def _first_frame(model: LTX2Model, scene: Scene) -> Any:
    if scene.footage is not None:
        image = require("PIL.Image").fromarray(scene.footage.frames[-1])
        return _encoded(model, image.resize((scene.width, scene.height)))
    if scene.image is not None:
        return _encoded(model, fitted(scene.image, (scene.width, scene.height)))
    return None


def _encoded(model: LTX2Model, picture: Any) -> Any:
    torch, numpy = require("torch"), require("numpy")
    vae = model.text_to_video.vae
    pixels = torch.from_numpy(numpy.asarray(picture, dtype="float32") / 127.5 - 1)
    video = pixels.movedim(-1, 0)[None, :, None].to(vae.device, vae.dtype)
    with torch.no_grad():
        latents = vae.encode(video).latent_dist.mode().float()
    return normalised(model.text_to_video, latents)
