"""A ladder plays in every rung, and what was marked is marked in all of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from myriorama.studio.encoding import encode
from myriorama.studio.ladder import Rung, VideoUnreadable, build_ladder
from myriorama.studio.renderer import Clip

FPS = 24


def published(folder: Path, *, width: int = 288, height: int = 512, silent: bool = False) -> Path:
    """Encode five seconds with a white band, as a mark would be, at the bottom of the picture."""
    rows, columns = np.mgrid[0:height, 0:width]
    frames = np.empty((5 * FPS, height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:] = (60 + 50 * np.sin((rows + columns + 5 * index) / 25))[..., None]
    frames[:, -height // 8 :] = 250
    t = np.arange(5 * 48_000) / 48_000
    tone = (0.0 if silent else 0.3) * np.sin(2 * np.pi * 440 * t)
    clip = Clip(frames, FPS, np.stack([tone, tone]).astype(np.float32), 48_000)
    return encode(clip, folder).video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("video"))


@pytest.fixture(scope="module")
def ladder(video: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Rung]:
    return build_ladder(video, tmp_path_factory.mktemp("ladder"))


def played(rung: Rung, folder: Path) -> list[Any]:
    """Put the opening and the segments of a rung together, as a player does, and decode them."""
    path = folder / "played.mp4"
    pieces = [rung.opening, *(segment.path for segment in rung.segments)]
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_the_rungs_are_whole_about_two_thirds_and_half_as_large(ladder: list[Rung]) -> None:
    assert [(rung.width, rung.height) for rung in ladder] == [(288, 512), (192, 336), (144, 256)]
    assert ladder[0].average_bits_s > ladder[1].average_bits_s > ladder[2].average_bits_s
    for rung in ladder:
        assert rung.peak_bits_s >= rung.average_bits_s
        assert rung.codecs.startswith("avc1.64")
        assert rung.codecs.endswith(",mp4a.40.2")
        assert [segment.duration_ms for segment in rung.segments] == [2000, 2000, 1000]


def test_every_rung_plays_all_frames_marks_and_all(ladder: list[Rung], tmp_path: Path) -> None:
    for rung in ladder:
        frames = played(rung, tmp_path)

        assert len(frames) == 5 * FPS
        for frame in frames[:: 2 * FPS]:
            assert frame.shape == (rung.height, rung.width, 3)
            assert frame[-rung.height // 16 :].mean() > 235
            assert frame[: rung.height // 2].mean() < 100


def test_a_player_shows_all_rungs_in_the_same_shape(ladder: list[Rung], tmp_path: Path) -> None:
    for rung in ladder:
        played(rung, tmp_path)
        with av.open(tmp_path / "played.mp4") as container:
            stretched = container.streams.video[0].sample_aspect_ratio or 1
        assert rung.width * stretched / rung.height == pytest.approx(288 / 512, rel=0.002)


def test_one_can_begin_with_any_segment(ladder: list[Rung], tmp_path: Path) -> None:
    for rung in ladder:
        alone = replace(rung, segments=rung.segments[1:2])

        assert len(played(alone, tmp_path)) == 2 * FPS


def test_the_top_rung_is_the_video_itself(ladder: list[Rung], video: Path, tmp_path: Path) -> None:
    with av.open(video) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    assert np.array_equal(frames, played(ladder[0], tmp_path))


def test_a_small_silent_video_has_fewer_rungs_and_no_sound(tmp_path: Path) -> None:
    video = published(tmp_path, width=160, height=160, silent=True)
    (tmp_path / "ladder").mkdir()

    (only,) = build_ladder(video, tmp_path / "ladder")

    assert (only.width, only.codecs.count("mp4a")) == (160, 0)


def test_what_is_no_video_is_refused(video: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:2_000])

    for name in ("text.mp4", "cut.mp4"):
        (tmp_path / f"{name}.ladder").mkdir()
        with pytest.raises(VideoUnreadable):
            build_ladder(tmp_path / name, tmp_path / f"{name}.ladder")
