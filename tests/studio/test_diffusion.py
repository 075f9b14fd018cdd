"""The tiny model is built once, whole, and alike everywhere; missing libraries are said."""

from dataclasses import replace
from pathlib import Path

import pytest

from myriorama.studio.diffusion import WorkerExtraMissing, frames_of, require
from myriorama.studio.renderer import Cancelled, Scene
from myriorama.studio.tiny_model import ensure_tiny_model

SCENE = Scene(prompt="a red fox walks", width=96, height=64, seconds=0.7, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_tiny_model(tmp_path_factory.mktemp("models") / "ltx2-tiny")


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


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.1, 9), (0.7, 17), (1.0, 25), (2.0, 49), (5.0, 121), (5.1, 129)]
)
def test_clips_have_eight_k_plus_one_frames(seconds: float, frames: int) -> None:
    assert frames_of(replace(SCENE, seconds=seconds)) == frames


def test_what_is_not_installed_is_said_with_its_remedy() -> None:
    with pytest.raises(WorkerExtraMissing, match=r"pip install 'myriorama\[worker\]'"):
        require("a_library_that_nobody_has")
