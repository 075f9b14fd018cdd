"""Clips on their way from the renderer to who finishes them: raw frames in files, written once.

They lie in a folder of the worker's own below the system's one for such (`TMPDIR`). Where a worker
was killed, the next one to start on the machine removes what it left.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import numpy as np

from myriorama.studio.renderer import Clip

_PREFIX = "myriorama-work-"
_LOCK = "lock"
_FRAMES = "frames"
_SOUND = "sound"
_SHAPE = "clip.json"


class Workshop:
    """The folder of one worker, until `close`. It is locked for as long as the worker lives."""

    def __init__(self, within: Path | None = None) -> None:
        within = within or Path(tempfile.gettempdir())
        for left in within.glob(f"{_PREFIX}*"):
            _remove_if_abandoned(left)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
        self._closing = ExitStack()
        lock = self._closing.enter_context((self._folder / _LOCK).open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._made = 0

    @property
    def folder(self) -> Path:
        return self._folder

    def bench(self) -> Path:
        """Make a folder for one clip."""
        self._made += 1
        bench = self._folder / str(self._made)
        bench.mkdir()
        return bench

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._closing.close()


class _Shape(msgspec.Struct):
    """What the raw bytes do not say."""

    frames: int
    height: int
    width: int
    fps: int
    sample_rate_hz: int


def leave(clips: Sequence[Clip], folder: Path) -> None:
    """Leave clips of one size and rate, joined into one; their sounds are as long as their frames.

    Raises:
        OSError: the disk is full, say.
    """
    first = clips[0]
    with (folder / _FRAMES).open("wb") as file:
        for clip in clips:
            file.write(np.ascontiguousarray(clip.frames).data)
    sounds = np.hstack([clip.sound for clip in clips])
    with (folder / _SOUND).open("wb") as file:
        file.write(np.ascontiguousarray(sounds, np.float32).data)
    shape = _Shape(
        frames=sum(len(clip.frames) for clip in clips),
        height=first.frames.shape[1],
        width=first.frames.shape[2],
        fps=first.fps,
        sample_rate_hz=first.sample_rate_hz,
    )
    (folder / _SHAPE).write_bytes(msgspec.json.encode(shape))


def take(folder: Path) -> Clip:
    """Take a clip into memory, and its frames from the disk, where others wait for the room."""
    shape = msgspec.json.decode((folder / _SHAPE).read_bytes(), type=_Shape)
    frames = np.fromfile(folder / _FRAMES, np.uint8)
    sound = np.fromfile(folder / _SOUND, np.float32)
    (folder / _FRAMES).unlink()
    return Clip(
        frames=frames.reshape(shape.frames, shape.height, shape.width, 3),
        fps=shape.fps,
        sound=sound.reshape(2, -1),
        sample_rate_hz=shape.sample_rate_hz,
    )


def _remove_if_abandoned(folder: Path) -> None:
    """Remove a workshop whose worker is gone: then nobody holds its lock."""
    with suppress(OSError), (folder / _LOCK).open("r+") as lock:
        if os.fstat(lock.fileno()).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
