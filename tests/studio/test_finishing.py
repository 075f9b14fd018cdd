"""Finishing makes of a clip what is delivered, unless there is nothing to deliver."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myriorama.studio.certificates import credentials
from myriorama.studio.finishing import Finisher, Marks, Origin, Parts, RenderFailed
from myriorama.studio.procedural import ProceduralRenderer
from myriorama.studio.renderer import Clip, Preview, Scene
from myriorama.studio.screening import Screening
from myriorama.studio.watermark import Watermark
from tests.workers.lines import WATERMARK_KEY, WORK

RENDERED = Origin("procedural-1", "a digest", is_procedural=True)


@pytest.fixture(scope="module")
def finisher(tmp_path_factory: pytest.TempPathFactory) -> Finisher:
    home = tmp_path_factory.mktemp("home")
    signing = credentials(home=home, certificates="", key="", signer_url="", signer_token="")
    return Finisher(Marks(Watermark(WATERMARK_KEY.encode()), signing), Screening.from_policy())


@pytest.fixture(scope="module")
def clip() -> Clip:
    scene = Scene('a red ball bounces and says "one"', 128, 128, 2.0, 7)
    return ProceduralRenderer().render(scene, _unseen)


def copied(clip: Clip) -> Clip:
    """Return what finishing may write over."""
    return replace(clip, frames=clip.frames.copy())


def test_the_same_clip_has_the_same_master(finisher: Finisher, clip: Clip, tmp_path: Path) -> None:
    masters = list[bytes]()
    for name in ("one", "again"):
        (folder := tmp_path / name).mkdir()
        finished = finisher.finish(copied(clip), WORK, RENDERED, folder, Parts())
        masters.append(finished.master.path.read_bytes())

    assert masters[0] == masters[1]


def test_what_lips_followed_is_not_spoken_again(
    finisher: Finisher, clip: Clip, tmp_path: Path
) -> None:
    followed = replace(RENDERED, follows_speech=True)
    silent = replace(clip, sound=np.zeros_like(clip.sound))
    work = replace(WORK, prompt='a red ball says "one"')

    heard = list[bool]()
    for name, origin in (("over", RENDERED), ("followed", followed)):
        (folder := tmp_path / name).mkdir()
        finished = finisher.finish(copied(silent), work, origin, folder, Parts())
        assert finished.facts.transcript == "ball: one"
        heard.append(b"mp4a" in finished.video.path.read_bytes())

    assert heard == [True, False]


def test_a_clip_that_shows_nothing_is_a_failed_render(finisher: Finisher, tmp_path: Path) -> None:
    black = Clip(
        np.zeros((48, 128, 128, 3), np.uint8), 24, np.zeros((2, 96_000), np.float32), 48_000
    )

    with pytest.raises(RenderFailed):
        finisher.finish(black, WORK, RENDERED, tmp_path, Parts())

    assert list(tmp_path.iterdir()) == []


def _unseen(_done: int, _total: int, _preview: Preview | None, /) -> None:
    """Look at no step."""
