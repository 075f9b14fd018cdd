"""The small model as it comes along: its weights load, and it renders what it says it can."""

from dataclasses import replace

import numpy as np
import pytest

from myriorama.studio.emoji import weights
from myriorama.studio.emoji.renderer import CAPABILITIES, EmojiRenderer
from myriorama.studio.renderer import Cancelled, Clip, Preview, Scene, UnrenderableScene

SCENE = Scene("a frog jumps once on a purple stage", 640, 640, seconds=2, seed=1)


@pytest.fixture(scope="module")
def renderer() -> EmojiRenderer:
    return EmojiRenderer()


@pytest.fixture(scope="module")
def clip(renderer: EmojiRenderer) -> Clip:
    return renderer.render(SCENE, lambda _, __, ___: None)


def test_the_weights_come_along_and_are_small() -> None:
    folder = weights.shipped_folder()

    files = list(folder.rglob("*.safetensors"))

    assert weights.is_complete(folder)
    assert sum(path.stat().st_size for path in files) <= 40e6
    assert max(path.stat().st_size for path in files) <= 15e6


def test_a_clip_is_two_seconds_of_moving_pictures_with_sound(clip: Clip) -> None:
    assert clip.frames.shape == (17, 640, 640, 3)
    assert clip.fps == 8
    assert 2 <= clip.seconds < 2.5
    assert clip.sound.shape[0] == 2
    assert abs(clip.sound.shape[1] / clip.sample_rate_hz - clip.seconds) < 0.1
    assert 0.02 < np.abs(clip.sound).max() <= 1
    assert clip.frames.std(0).max() > 20


def test_the_same_scene_gives_the_same_clip_and_another_seed_another(
    renderer: EmojiRenderer, clip: Clip
) -> None:
    same = renderer.render(SCENE, lambda _, __, ___: None)
    other = renderer.render(replace(SCENE, seed=2), lambda _, __, ___: None)

    assert np.array_equal(clip.frames, same.frames)
    assert np.array_equal(clip.sound, same.sound)
    assert not np.array_equal(clip.frames, other.frames)


def test_scenes_that_are_rendered_together_are_as_if_each_were_alone(
    renderer: EmojiRenderer, clip: Clip
) -> None:
    together = renderer.render_together(
        [SCENE, replace(SCENE, prompt="a red apple rolls in the rain", seed=3)],
        lambda _, __, ___: None,
    )

    assert np.abs(together[0].frames.astype(int) - clip.frames).mean() < 0.5
    assert not np.array_equal(together[1].frames, clip.frames)


def test_every_step_is_heard_shows_what_there_is_and_may_stop_the_render(
    renderer: EmojiRenderer,
) -> None:
    heard: list[tuple[int, int]] = []
    seen: list[tuple[int, ...]] = []

    def until_the_third(done: int, total: int, preview: Preview | None) -> None:
        heard.append((done, total))
        assert preview is not None
        seen.append(preview().shape)
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        renderer.render(SCENE, until_the_third)

    assert [done for done, _ in heard] == [1, 2, 3]
    assert heard[0][1] >= 4
    assert set(seen) == {(4, 160, 160, 3)}


def test_what_it_cannot_do_is_refused(renderer: EmojiRenderer) -> None:
    for scene in (
        replace(SCENE, width=704, height=1280),
        replace(SCENE, seconds=4),
        replace(SCENE, image=b"a picture"),
    ):
        with pytest.raises(UnrenderableScene, match="emoji-1"):
            renderer.render(scene, lambda _, __, ___: None)


def test_its_digest_is_that_of_its_weights(renderer: EmojiRenderer) -> None:
    assert renderer.digest == weights.digest(weights.shipped_folder())
    assert len(renderer.digest) == 64
    assert CAPABILITIES.model == renderer.name == "emoji-1"
