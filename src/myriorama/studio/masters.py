"""Masters read back: the end of a clip, to continue from, and whole clips, to be joined.

They are files of our own, which `encoding.write_master` wrote and no client can reach; still no
more of one is decoded than was asked for, or than fits into memory.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from myriorama.studio.renderer import Clip, Footage, Recording

CLIP_BYTES_MAX = 3 * 2**30
"""How large the frames of a clip may become in memory: 45 seconds of 704x1280 at 24 a second."""
SOUND_KEPT_S = 10.0


class MasterUnreadable(Exception):
    """This is no master, or it was cut off, or it does not go with the others; it says which."""


def read(path: Path) -> Clip:
    """Return a clip as it was written, but for what the picture lost (some 48 dB below it).

    Raises:
        MasterUnreadable: it is none, or too long to be held in memory.
    """
    return stitched([path])


def stitched(paths: Sequence[Path]) -> Clip:
    """Return one clip of several, one after the other. They are equally large and equally fast.

    Raises:
        MasterUnreadable: they are not, or are too long together to be held in memory.
    """
    parts = [_shape(path) for path in paths]
    fps, frames, height, width = parts[0]
    if any((part[0], *part[2:]) != (fps, height, width) for part in parts):
        raise MasterUnreadable("clips of different sizes or frame rates cannot be joined")
    total = sum(part[1] for part in parts)
    if total * height * width * 3 > CLIP_BYTES_MAX:
        raise MasterUnreadable(f"{total} frames of {width}x{height} are too many to be joined")
    whole = np.empty((total, height, width, 3), np.uint8)
    sound: list[NDArray[np.float32]] = []
    at, rate_hz = 0, _SOUND_HZ
    for path, (_, frames, _, _) in zip(paths, parts, strict=True):
        read_frames = 0
        for index, pixels in enumerate(_frames(path)):
            if index >= frames:
                break
            whole[at + index] = pixels
            read_frames = index + 1
        if read_frames < frames:
            raise MasterUnreadable(f"{path.name} has {read_frames} frames of {frames}")
        heard = _sound(path)
        length = round(frames * rate_hz / fps)
        sound.append(np.pad(heard[:, :length], ((0, 0), (0, max(0, length - heard.shape[1])))))
        at += frames
    return Clip(whole, fps, np.concatenate(sound, axis=1), rate_hz)


def seconds(path: Path) -> float:
    """Return how long a clip is, and so how much later begins what is joined to it.

    Raises:
        MasterUnreadable: it is none.
    """
    fps, frames, _, _ = _shape(path)
    return frames / fps


def ending(path: Path, frames: int = 17) -> Footage:
    """Return the last frames of a clip and what was heard until its end, to continue from.

    Raises:
        MasterUnreadable: it is no master, or shorter than this.
    """
    fps, total, height, width = _shape(path)
    if total < frames:
        raise MasterUnreadable(f"{path.name} has {total} frames, and {frames} are needed")
    last = np.empty((frames, height, width, 3), np.uint8)
    found = 0
    for index, pixels in _indexed(path, from_frame=total - frames):
        if total - frames <= index < total:
            last[index - (total - frames)] = pixels
            found += 1
    if found < frames:
        raise MasterUnreadable(f"{path.name} ends before its last frame")
    heard = _sound(path)[:, -round(SOUND_KEPT_S * _SOUND_HZ) :]
    return Footage(last, fps, Recording(heard, _SOUND_HZ) if heard.shape[1] else None)


_SOUND_HZ = 48_000
_FULL = 2.0**31


def _shape(path: Path) -> tuple[int, int, int, int]:
    """Return frames a second, frames, height and width, as the file says."""
    with _opened(path) as container:
        if not container.streams.video:
            raise MasterUnreadable(f"{path.name} has no picture")
        track = container.streams.video[0]
        if not track.frames or not track.average_rate:
            raise MasterUnreadable(f"{path.name} does not say how long it is")
        return round(track.average_rate), track.frames, track.height, track.width


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    return (pixels for _, pixels in _indexed(path, from_frame=0))


def _indexed(path: Path, *, from_frame: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Decode from a frame on; what lies before it since the last key frame is not converted."""
    with _opened(path) as container:
        track: Any = container.streams.video[0]  # `Any`: the stubs leave its times open
        track.codec_context.thread_count = 1
        if from_frame:
            start = round(from_frame / float(track.average_rate) / float(track.time_base))
            container.seek(start, stream=track)
        try:
            for frame in container.decode(track):
                index = round(float(frame.pts * track.time_base) * float(track.average_rate))
                if index >= from_frame:
                    yield index, _rgb(frame)
        except FFmpegError as error:
            raise MasterUnreadable(f"{path.name} cannot be decoded: {error}") from error


def _rgb(frame: Any) -> NDArray[np.uint8]:
    shown = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
        threads=1,
    )
    pixels: NDArray[np.uint8] = shown.to_ndarray()
    return pixels


def _sound(path: Path) -> NDArray[np.float32]:
    with _opened(path) as container:
        if not container.streams.audio:
            return np.zeros((2, 0), np.float32)
        try:
            parts = [part.to_ndarray() for part in container.decode(audio=0)]
        except FFmpegError as error:
            raise MasterUnreadable(f"{path.name} cannot be decoded: {error}") from error
    return (np.concatenate(parts, axis=1) / _FULL).astype(np.float32)


def _opened(path: Path) -> Any:
    # `Any`: as `_indexed` says.
    try:
        return av.open(path, "r", format="mp4", container_options={"protocol_whitelist": "file"})
    except FFmpegError as error:
        raise MasterUnreadable(f"{path.name} is no master: {error}") from error
