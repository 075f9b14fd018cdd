"""A master keeps a clip nearly as it was, gives the same bytes again, and is read back in part."""

from pathlib import Path

import numpy as np
import pytest

from myriorama.studio.encoding import write_master
from myriorama.studio.masters import MasterUnreadable, ending, read, stitched
from myriorama.studio.renderer import Clip

FPS, HEIGHT, WIDTH = 24, 160, 96


def filmed(*, seconds: int = 3, shift: int = 0, height: int = HEIGHT) -> Clip:
    rows, columns = np.mgrid[0:height, 0:WIDTH]
    frames = np.empty((seconds * FPS, height, WIDTH, 3), np.uint8)
    for index, frame in enumerate(frames):
        wave = np.sin((rows + 2 * columns + 3 * index + shift) / 15)
        frame[:] = (128 + np.stack([100 * wave, -60 * wave, 90 * wave], axis=-1)).astype(np.uint8)
    t = np.arange(seconds * 48_000) / 48_000
    tone = (0.3 * np.sin(2 * np.pi * (300 + shift) * t)).astype(np.float32)
    return Clip(frames, FPS, np.stack([tone, -tone]), 48_000)


def noise_db(one: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], other: object) -> float:
    error = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def test_a_master_loses_next_to_nothing(tmp_path: Path) -> None:
    clip = filmed()
    write_master(clip, tmp_path / "master.mp4")

    again = read(tmp_path / "master.mp4")

    assert (again.fps, again.sample_rate_hz) == (FPS, 48_000)
    assert again.frames.shape == clip.frames.shape
    assert noise_db(clip.frames, again.frames) > 44
    assert np.abs(again.sound - clip.sound).max() < 1e-6


def test_the_same_clip_gives_the_same_master(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        write_master(filmed(), tmp_path / name)

    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_an_extension_goes_on_from_the_very_last_frames(tmp_path: Path) -> None:
    clip = filmed()
    write_master(clip, tmp_path / "master.mp4")

    footage = ending(tmp_path / "master.mp4", frames=17)

    assert footage.frames.shape == (17, HEIGHT, WIDTH, 3)
    assert noise_db(clip.frames[-17:], footage.frames) > 44
    assert footage.sound is not None
    assert np.abs(footage.sound.samples - clip.sound).max() < 1e-6


def test_clips_are_joined_in_order_silent_ones_too(tmp_path: Path) -> None:
    first, second = filmed(), filmed(seconds=2, shift=40)
    silent = Clip(second.frames, FPS, np.zeros_like(second.sound), 48_000)
    paths = [tmp_path / name for name in ("1.mp4", "2.mp4", "3.mp4")]
    for clip, path in zip((silent, first, second), paths, strict=True):
        write_master(clip, path)

    joined = stitched(paths)

    wanted = np.concatenate([second.frames, first.frames, second.frames])
    assert noise_db(wanted, joined.frames) > 44
    heard = np.concatenate([silent.sound, first.sound, second.sound], axis=1)
    assert np.abs(joined.sound - heard).max() < 1e-6


def test_what_does_not_fit_together_is_not_joined(tmp_path: Path) -> None:
    write_master(filmed(), tmp_path / "1.mp4")
    write_master(filmed(height=192), tmp_path / "2.mp4")

    with pytest.raises(MasterUnreadable, match="different sizes"):
        stitched([tmp_path / "1.mp4", tmp_path / "2.mp4"])


def test_what_is_no_master_is_refused_not_guessed_at(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    write_master(filmed(), whole)
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    with pytest.raises(MasterUnreadable):
        read(tmp_path / "text.mp4")
    with pytest.raises(MasterUnreadable):
        read(tmp_path / "cut.mp4")
    with pytest.raises(MasterUnreadable, match="are needed"):
        ending(whole, frames=100)
