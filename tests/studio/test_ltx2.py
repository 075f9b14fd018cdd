"""Models of the LTX-2 family render, go on, cast, stop and repeat, from weights in a folder."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from domain.generation.models import Capabilities
from myriorama.studio.diffusion import require, within_gpu_memory
from myriorama.studio.ltx2 import LTX2Renderer
from myriorama.studio.ltx2_model import LTX2Model
from myriorama.studio.renderer import (
    Cancelled,
    Clip,
    Footage,
    GPUMemoryExhausted,
    Likeness,
    Preview,
    Recording,
    Scene,
    UnrenderableScene,
)
from myriorama.studio.weights import Weights

SCENE = Scene(prompt="a red fox walks", width=64, height=64, seconds=0.3, seed=3)
VOICE = Recording(np.sin(np.arange(24_000) * 0.05).astype(np.float32), 24_000)


def unheard(_: int, __: int, ___: Preview | None) -> None:
    """Nobody listens to the steps."""


def picture(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (120, 64), colour).save(file, "PNG")
    return file.getvalue()


def footage(frames: int, *, seed: int = 0) -> Footage:
    pixels = np.random.default_rng(seed).integers(0, 255, (frames, 64, 64, 3), np.uint8)
    return Footage(pixels, fps=24)


def differ(first: Clip, second: Clip) -> bool:
    return not np.array_equal(first.frames, second.frames)


@pytest.fixture(scope="module")
def plain(ltx2: LTX2Renderer) -> Clip:
    """The scene as it is with nothing but its prompt."""
    return ltx2.render(SCENE, unheard)


def test_a_scene_becomes_a_clip_with_sound(ltx2: LTX2Renderer) -> None:
    heard: list[tuple[int, int]] = []

    clip = ltx2.render(SCENE, lambda done, total, _: heard.append((done, total)))

    assert clip.frames.shape == (9, 64, 64, 3)
    assert clip.frames.std() > 1
    assert clip.sound.shape[0] == 2
    assert clip.sound.shape[1] / clip.sample_rate_hz == pytest.approx(clip.seconds, abs=0.05)
    assert 0 < np.abs(clip.sound).max() <= 1
    assert heard == [(step, 8) for step in range(1, 9)]


def test_the_same_scene_gives_the_same_clip(ltx2: LTX2Renderer, plain: Clip) -> None:
    again, other = (ltx2.render(replace(SCENE, seed=seed), unheard) for seed in (3, 4))

    assert np.array_equal(plain.frames, again.frames)
    assert np.array_equal(plain.sound, again.sound)
    assert differ(plain, other)


def test_scenes_rendered_together_come_out_as_if_they_were_alone(
    ltx2: LTX2Renderer, plain: Clip
) -> None:
    previews: list[NDArray[np.uint8]] = []

    def look(done: int, _: int, preview: Preview | None) -> None:
        if preview is not None and done == 4:
            previews.append(preview())

    other = replace(SCENE, prompt="a blue boat", seed=9)
    first, second = ltx2.render_together([SCENE, other], look)

    alone = ltx2.render(other, unheard)
    for together, single in ((first, plain), (second, alone)):
        assert np.abs(together.frames.astype(int) - single.frames).max() <= 2
        assert np.abs(together.sound - single.sound).max() < 1e-3
    assert previews[0].shape == (8, 160, 160, 3)


def test_scenes_that_need_more_than_a_prompt_are_rendered_in_turn(ltx2: LTX2Renderer) -> None:
    heard: list[tuple[int, int]] = []
    led = replace(SCENE, image=picture())

    clips = ltx2.render_together([led, SCENE], lambda done, total, _: heard.append((done, total)))

    assert heard == [(step, 16) for step in range(1, 17)]
    assert not differ(clips[0], ltx2.render(led, unheard))


def test_scenes_of_different_shapes_are_not_rendered_together(ltx2: LTX2Renderer) -> None:
    with pytest.raises(UnrenderableScene, match="one shape"):
        ltx2.render_together([SCENE, replace(SCENE, width=96)], unheard)


def test_an_image_leads_the_clip_and_another_ends_it(ltx2: LTX2Renderer, plain: Clip) -> None:
    led = ltx2.render(replace(SCENE, image=picture()), unheard)
    held = ltx2.render(replace(SCENE, image=picture(), last_image=picture("blue")), unheard)

    assert led.frames.shape == held.frames.shape == plain.frames.shape
    assert differ(led, plain)
    assert differ(held, led)


def test_a_clip_goes_on_from_the_last_seventeen_frames(ltx2: LTX2Renderer) -> None:
    long = footage(40)

    clip = ltx2.render(replace(SCENE, footage=long), unheard)
    of_its_end = ltx2.render(replace(SCENE, footage=Footage(long.frames[-17:], 24)), unheard)
    of_another = ltx2.render(replace(SCENE, footage=footage(40, seed=1)), unheard)

    assert len(clip.frames) == 8
    assert clip.sound.shape[1] / clip.sample_rate_hz == pytest.approx(clip.seconds, abs=0.05)
    assert not differ(clip, of_its_end)
    assert differ(clip, of_another)


def test_faces_and_voices_change_what_is_rendered(ltx2: LTX2Renderer, plain: Clip) -> None:
    heard: list[int] = []
    alice, bob = Likeness("Alice", picture(), None, VOICE), Likeness("Bob", picture("blue"), None)

    cast = ltx2.render(replace(SCENE, cameos=(alice, bob)), lambda done, _, __: heard.append(done))
    again = ltx2.render(replace(SCENE, cameos=(alice, bob)), unheard)
    silent = ltx2.render(replace(SCENE, cameos=(replace(alice, voice=None), bob)), unheard)
    alone = ltx2.render(replace(SCENE, cameos=(alice,)), unheard)

    assert cast.frames.shape == plain.frames.shape
    assert heard == list(range(1, 9))
    assert not differ(cast, again)
    assert not np.array_equal(cast.sound, silent.sound)
    assert differ(cast, alone)


def test_a_cast_clip_goes_on_from_the_last_frame(ltx2: LTX2Renderer) -> None:
    alice = Likeness("Alice", picture(), None)

    clips = [
        ltx2.render(replace(SCENE, cameos=(alice,), footage=footage(20, seed=seed)), unheard)
        for seed in (0, 1)
    ]

    assert [len(clip.frames) for clip in clips] == [8, 8]
    assert differ(*clips)


def test_weights_that_cannot_keep_to_a_likeness_refuse_cameos(ltx2: LTX2Renderer) -> None:
    able = replace(ltx2.capabilities, takes_cameos=False)
    renderer = LTX2Renderer(weights_of(ltx2).folder, capabilities=able)

    with pytest.raises(UnrenderableScene, match="cannot cast cameos"):
        renderer.render(replace(SCENE, cameos=(Likeness("Alice", picture(), None),)), unheard)


def test_lips_follow_what_is_said_which_is_what_is_heard(ltx2: LTX2Renderer, plain: Clip) -> None:
    spoken = ltx2.render(replace(SCENE, speech=VOICE), unheard)

    assert differ(spoken, plain)
    tone = spoken.sound[:, 1000:8000]
    assert spoken.sound.shape == (2, round(spoken.seconds * spoken.sample_rate_hz))
    assert np.abs(tone - VOICE.samples[1000:8000]).max() < 1e-3


def test_large_pictures_are_rendered_in_two_stages(ltx2: LTX2Renderer) -> None:
    heard: list[tuple[int, int]] = []
    large = LTX2Renderer(
        weights_of(ltx2).folder, capabilities=ltx2.capabilities, two_stages_px=128 * 64
    )
    large._model = model_of(ltx2)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # Loaded once for all tests.
    scene = replace(SCENE, width=128)

    clip = large.render(scene, lambda done, total, _: heard.append((done, total)))
    led = large.render(replace(scene, image=picture()), unheard)

    assert clip.frames.shape == led.frames.shape == (9, 64, 128, 3)
    assert heard == [(step, 11) for step in range(1, 12)]
    assert differ(clip, ltx2.render(scene, unheard))
    assert differ(clip, led)


def test_a_cancelled_render_stops_and_the_next_one_is_unharmed(
    ltx2: LTX2Renderer, plain: Clip
) -> None:
    heard: list[int] = []

    def cancel_after_two(done: int, _: int, __: Preview | None) -> None:
        heard.append(done)
        if done == 2:
            raise Cancelled

    alice = Likeness("Alice", picture(), None)
    for scene in (SCENE, replace(SCENE, last_image=picture()), replace(SCENE, cameos=(alice,))):
        heard.clear()
        with pytest.raises(Cancelled):
            ltx2.render(scene, cancel_after_two)
        assert heard == [1, 2]

    assert not differ(plain, ltx2.render(SCENE, unheard))


def test_a_prompt_is_encoded_once(ltx2: LTX2Renderer, plain: Clip) -> None:
    prompt = "nobody has asked for this before"

    with encodings(ltx2) as first:
        before = ltx2.render(replace(SCENE, prompt=prompt), unheard)
    with encodings(ltx2) as second:
        after = ltx2.render(replace(SCENE, prompt=prompt), unheard)

    assert (len(first), len(second)) == (1, 0)
    assert not differ(before, after)
    assert differ(before, plain)


def test_what_was_kept_of_a_prompt_is_as_good_as_encoding_it(
    ltx2: LTX2Renderer, plain: Clip
) -> None:
    pipeline = model_of(ltx2).text_to_video
    generator = require("torch").Generator().manual_seed(SCENE.seed)

    bare = pipeline(
        prompt=SCENE.prompt, width=64, height=64, num_frames=9, frame_rate=24.0,
        sigmas=[1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875],
        num_inference_steps=8, guidance_scale=1.0, stg_scale=0.0, modality_scale=1.0,
        guidance_rescale=0.0, audio_guidance_scale=1.0, audio_stg_scale=0.0,
        audio_modality_scale=1.0, audio_guidance_rescale=0.0,
        spatio_temporal_guidance_blocks=None, generator=generator, output_type="np",
        max_sequence_length=256,
    )  # fmt: skip

    assert np.array_equal(np.rint(bare.frames[0] * 255).astype(np.uint8), plain.frames)


def test_a_preview_looks_as_the_clip_will(ltx2: LTX2Renderer) -> None:
    model = model_of(ltx2)
    seen: list[NDArray[np.uint8] | None] = []

    def look(_: int, __: int, preview: Preview | None) -> None:
        seen.append(preview() if preview is not None else None)

    ltx2.render(replace(SCENE, width=96), look)

    assert seen[0] is None
    assert [preview.shape for preview in seen[1:] if preview is not None] == [(4, 107, 160, 3)] * 7
    assert model.colours.matrix.shape == (17, 3)


def test_the_colours_of_latents_are_fitted_to_the_model(ltx2: LTX2Renderer) -> None:
    torch = require("torch")
    model = model_of(ltx2)
    kept = weights_of(ltx2).kept / "latent-colours.npy"
    _ = model.colours
    shades = [torch.full((1, 3, 1, 64, 64), level) for level in (-0.9, 0.9)]

    with torch.no_grad():
        dark, light = (
            model.colours.preview(
                model.text_to_video._normalize_latents(  # noqa: SLF001 - what previews look at
                    model.text_to_video.vae.encode(shade).latent_dist.mode(),
                    model.text_to_video.vae.latents_mean,
                    model.text_to_video.vae.latents_std,
                ),
                skipped=0,
            )
            for shade in shades
        )

    assert dark.mean() + 5 < light.mean()
    assert np.array_equal(np.load(kept), model.colours.matrix)


def test_weights_that_were_given_back_are_loaded_again(ltx2: LTX2Renderer, plain: Clip) -> None:
    ltx2.unload()

    assert not differ(plain, ltx2.render(SCENE, unheard))


def test_weights_held_in_eight_bits_take_a_quarter_and_render(
    ltx2: LTX2Renderer, plain: Clip
) -> None:
    small = LTX2Renderer(weights_of(ltx2).folder, capabilities=ltx2.capabilities, precision="fp8")

    clip = small.render(SCENE, unheard)

    held, whole = (model_of(each).text_to_video.transformer for each in (small, ltx2))
    assert held.get_memory_footprint() < whole.get_memory_footprint() / 2
    assert differ(clip, plain)
    assert np.abs(clip.frames.astype(int) - plain.frames).mean() < 30


def test_a_gpu_that_is_full_is_told_from_other_faults() -> None:
    torch = require("torch")

    with pytest.raises(GPUMemoryExhausted, match="tried to allocate"), within_gpu_memory():
        raise torch.OutOfMemoryError("tried to allocate 20 GiB")
    with pytest.raises(RuntimeError, match="anything else"), within_gpu_memory():
        raise RuntimeError("anything else")


def test_the_renderer_goes_by_the_name_and_the_digest_of_its_weights(ltx2: LTX2Renderer) -> None:
    assert ltx2.name == ltx2.capabilities.model == "ltx2-tiny"
    assert ltx2.digest == weights_of(ltx2).digest()
    assert isinstance(ltx2.capabilities, Capabilities)


def weights_of(renderer: LTX2Renderer) -> Weights:
    return renderer._weights  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def model_of(renderer: LTX2Renderer) -> LTX2Model:
    renderer.load()
    model = renderer._model  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert model is not None
    return model


@contextmanager
def encodings(renderer: LTX2Renderer) -> Generator[list[Any]]:
    """Count the runs of the text encoder."""
    runs: list[Any] = []

    def ran(encoder: Any, given: Any, made: Any) -> None:
        runs.append((encoder, given, made))

    encoder = model_of(renderer).text_to_video.text_encoder
    hook = encoder.register_forward_hook(ran)
    try:
        yield runs
    finally:
        hook.remove()
