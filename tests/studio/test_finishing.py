"""Finishing makes of a clip what is delivered, unless there is nothing to deliver."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myriorama.studio.captions import Cue, cues_of, webvtt
from myriorama.studio.certificates import Credentials, credentials
from myriorama.studio.finishing import File, Finisher, Marks, Origin, Parts, RenderFailed
from myriorama.studio.manifest import read
from myriorama.studio.procedural import ProceduralRenderer
from myriorama.studio.renderer import Clip, Preview, Scene
from myriorama.studio.screening import Screening
from myriorama.studio.watermark import Watermark
from tests.workers.lines import WATERMARK_KEY, WORK

RENDERED = Origin("procedural-1", "a digest", is_procedural=True)


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    home = tmp_path_factory.mktemp("home")
    return credentials(home=home, certificates="", key="", signer_url="", signer_token="")


@pytest.fixture(scope="module")
def finisher(signing: Credentials) -> Finisher:
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


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ('"Good morning, everybody."', b"synthetic (Piper en_US-joe-medium)"),
        ('"Bonjour, les amis."', b"synthetic (espeak-ng)"),
        (
            '"Good morning." "Bonjour, les amis."',
            b"synthetic (Piper en_US-joe-medium, espeak-ng)",
        ),
    ],
)
def test_the_manifest_names_what_spoke(
    finisher: Finisher, clip: Clip, tmp_path: Path, prompt: str, named: bytes
) -> None:
    work = replace(WORK, prompt=prompt)

    finished = finisher.finish(copied(clip), work, RENDERED, tmp_path, Parts())

    assert named in finished.video.path.read_bytes()


def test_what_is_stitched_says_what_its_parts_say_and_claims_no_more(
    finisher: Finisher, signing: Credentials, clip: Clip, tmp_path: Path
) -> None:
    one, two = (
        finisher.finish(
            copied(clip),
            replace(WORK, prompt=f'a red ball says "{word}"'),
            RENDERED,
            made(tmp_path / word),
            Parts(),
        )
        for word in ("one", "two")
    )
    work = replace(
        WORK,
        model="stitcher-1",
        stitch_keys=("masters/1.mp4", "masters/model.mp4", "masters/2.mp4"),
        stitch_transcripts=("ball: one", "A model said this.", "ball: two"),
    )
    parts = Parts(
        stitched=[one.master.path, one.master.path, two.master.path],
        captions=[path_of(one.captions), None, path_of(two.captions)],
    )

    whole = finisher.finish(None, work, Origin("stitcher-1", ""), made(tmp_path / "whole"), parts)

    (first,), (second,) = said(one.captions), said(two.captions)
    later = replace(second, start_ms=second.start_ms + 4000, end_ms=second.end_ms + 4000)
    assert said(whole.captions) == (first, later)
    assert whole.facts.transcript == "ball: one\nA model said this.\nball: two"
    assert "transcript" in {verdict.stage for verdict in whole.facts.verdicts}
    manifest = read(whole.video.path, signing.trust)
    assert manifest
    assert manifest.digital_source == "compositeSynthetic"
    signed = whole.video.path.read_bytes()
    assert b"synthetic (espeak-ng)" in signed
    assert b"unknown" not in signed


@pytest.mark.parametrize(
    ("second", "named"),
    [
        ('"Bonjour, les amis."', b"synthetic (Piper en_US-joe-medium, espeak-ng)"),
        ('"Good night."', b"synthetic (Piper en_US-joe-medium)"),
    ],
)
def test_the_manifest_of_what_is_stitched_names_what_spoke_in_its_parts(
    finisher: Finisher, clip: Clip, tmp_path: Path, second: str, named: bytes
) -> None:
    prompts = ('"Good morning."', second)
    made_of = [
        finisher.finish(
            copied(clip), replace(WORK, prompt=prompt), RENDERED, made(tmp_path / name), Parts()
        )
        for name, prompt in zip(("one", "two"), prompts, strict=True)
    ]
    work = replace(WORK, model="stitcher-1", stitch_keys=("masters/1.mp4", "masters/2.mp4"))
    parts = Parts(
        stitched=[part.master.path for part in made_of],
        captions=[path_of(part.captions) for part in made_of],
    )

    whole = finisher.finish(None, work, Origin("stitcher-1", ""), made(tmp_path / "whole"), parts)

    assert named in whole.video.path.read_bytes()


def test_captions_that_do_not_say_what_speaks_were_spoken_by_espeak(
    finisher: Finisher, clip: Clip, tmp_path: Path
) -> None:
    part = finisher.finish(copied(clip), WORK, RENDERED, made(tmp_path / "part"), Parts())
    (captions := tmp_path / "earlier.vtt").write_text(webvtt([Cue(0, 900, "Hello.")]))
    work = replace(WORK, model="stitcher-1", stitch_keys=("masters/1.mp4",))
    parts = Parts(stitched=[part.master.path], captions=[captions])

    whole = finisher.finish(None, work, Origin("stitcher-1", ""), made(tmp_path / "whole"), parts)

    assert b"synthetic (espeak-ng)" in whole.video.path.read_bytes()


def test_parts_without_captions_are_stitched_without(
    finisher: Finisher, clip: Clip, tmp_path: Path
) -> None:
    part = finisher.finish(copied(clip), WORK, RENDERED, made(tmp_path / "part"), Parts())
    work = replace(WORK, model="stitcher-1", stitch_keys=("masters/1.mp4", "masters/1.mp4"))
    parts = Parts(stitched=[part.master.path] * 2)

    whole = finisher.finish(None, work, Origin("stitcher-1", ""), made(tmp_path / "whole"), parts)

    assert (whole.captions, whole.facts.transcript) == (None, None)
    assert b"synthetic (" not in whole.video.path.read_bytes()


def test_a_clip_that_shows_nothing_is_a_failed_render(finisher: Finisher, tmp_path: Path) -> None:
    black = Clip(
        np.zeros((48, 128, 128, 3), np.uint8), 24, np.zeros((2, 96_000), np.float32), 48_000
    )

    with pytest.raises(RenderFailed):
        finisher.finish(black, WORK, RENDERED, tmp_path, Parts())

    assert list(tmp_path.iterdir()) == []


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def path_of(file: File | None) -> Path:
    assert file
    return file.path


def said(captions: File | None) -> tuple[Cue, ...]:
    return cues_of(path_of(captions).read_text("utf-8"))


def _unseen(_done: int, _total: int, _preview: Preview | None, /) -> None:
    """Look at no step."""
