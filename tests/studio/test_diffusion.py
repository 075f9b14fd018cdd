"""Video models of the LTX-2 family are loaded from a folder and render, stop and repeat."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from myriorama.studio.diffusion import LTX2Renderer, WorkerExtraMissing, frames_of, require
from myriorama.studio.renderer import Cancelled, Likeness, Preview, Scene, UnrenderableScene
from myriorama.studio.tiny_model import ensure_tiny_model

SCENE = Scene(prompt="a red fox walks", width=96, height=64, seconds=0.7, seed=3)


def unheard(_: int, __: int, ___: Preview | None) -> None:
    """Nobody listens to the steps."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_tiny_model(tmp_path_factory.mktemp("models") / "ltx2-tiny")


@pytest.fixture(scope="module")
def renderer(folder: Path) -> LTX2Renderer:
    renderer = LTX2Renderer(folder, name="ltx2-tiny-1")
    renderer.load()
    return renderer


def red_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (120, 64), "red").save(file, "PNG")
    return file.getvalue()


def test_the_tiny_model_is_built_once(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    heard: list[int] = []

    ensure_tiny_model(folder, lambda done, _: heard.append(done))

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert heard == []
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_build_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    def cancel(done: int, _: int) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        ensure_tiny_model(tmp_path / "model", cancel)

    assert list(tmp_path.iterdir()) == []


def test_the_weights_are_the_same_wherever_they_are_built(folder: Path, tmp_path: Path) -> None:
    again = ensure_tiny_model(tmp_path / "again")

    for path in folder.rglob("*.safetensors"):
        assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes()


def test_a_scene_becomes_a_clip_with_sound(renderer: LTX2Renderer) -> None:
    heard: list[tuple[int, int]] = []

    clip = renderer.render(SCENE, lambda done, total, _: heard.append((done, total)))

    assert clip.frames.shape == (17, 64, 96, 3)
    assert clip.frames.std() > 1
    assert clip.sound.shape[0] == 2
    assert clip.sound.shape[1] / clip.sample_rate_hz == pytest.approx(clip.seconds, abs=0.05)
    assert 0 < np.abs(clip.sound).max() <= 1
    assert heard == [(step, 8) for step in range(1, 9)]


def test_the_same_scene_gives_the_same_clip(renderer: LTX2Renderer) -> None:
    first, second, other = (
        renderer.render(scene, unheard) for scene in (SCENE, SCENE, replace(SCENE, seed=4))
    )

    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.sound, second.sound)
    assert not np.array_equal(first.frames, other.frames)


def test_a_picture_leads_the_clip(renderer: LTX2Renderer) -> None:
    without = renderer.render(SCENE, unheard)
    led = renderer.render(replace(SCENE, image=red_picture()), unheard)

    assert led.frames.shape == without.frames.shape
    assert not np.array_equal(led.frames, without.frames)


def test_a_cancelled_render_stops_and_the_next_one_is_unharmed(renderer: LTX2Renderer) -> None:
    heard: list[int] = []

    def cancel_after_two(done: int, _: int, __: Preview | None) -> None:
        heard.append(done)
        if done == 2:
            raise Cancelled

    before = renderer.render(SCENE, unheard)
    with pytest.raises(Cancelled):
        renderer.render(SCENE, cancel_after_two)
    after = renderer.render(SCENE, unheard)

    assert heard == [1, 2]
    assert np.array_equal(before.frames, after.frames)


def test_weights_that_were_given_back_are_loaded_again(renderer: LTX2Renderer) -> None:
    before = renderer.render(SCENE, unheard)

    renderer.unload()

    assert np.array_equal(before.frames, renderer.render(SCENE, unheard).frames)


def test_a_model_that_cannot_keep_to_a_likeness_refuses_cameos(renderer: LTX2Renderer) -> None:
    scene = replace(SCENE, cameos=(Likeness("Alice", red_picture(), None),))

    with pytest.raises(UnrenderableScene, match="cameos"):
        renderer.render(scene, unheard)


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.1, 9), (0.7, 17), (1.0, 25), (2.0, 49), (5.0, 121), (5.1, 129)]
)
def test_clips_have_eight_k_plus_one_frames(seconds: float, frames: int) -> None:
    assert frames_of(replace(SCENE, seconds=seconds)) == frames


def test_what_is_not_installed_is_said_with_its_remedy() -> None:
    with pytest.raises(WorkerExtraMissing, match=r"pip install 'myriorama\[worker\]'"):
        require("a_library_that_nobody_has")
