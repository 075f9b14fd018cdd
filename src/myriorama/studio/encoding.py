"""Turns a clip into files: an MP4 that starts to play at once, a poster, and a thumbnail."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray
from PIL import Image

from myriorama.studio.renderer import Clip

SOUND_HZ = 48_000
KEYFRAME_EVERY_S = 2
THUMBNAIL_WIDTH_PX = 320


@dataclass(frozen=True)
class Encoded:
    """The files of a video, with what the log records of it.

    `sha256` and `size_bytes` are those of the MP4 file.
    """

    video: Path
    poster: Path
    thumbnail: Path
    sha256: str
    size_bytes: int
    width: int
    height: int
    duration_ms: int
    fps: int
    has_sound: bool


def encode(clip: Clip, folder: Path, *, prefix: str = "video") -> Encoded:
    """Write `<prefix>.mp4`, `<prefix>.jpg` and `<prefix>.webp` into a folder that exists.

    The MP4 is H.264 and AAC with its index in front, so that players can start and seek by range
    requests. A clip whose sound is silent throughout gets no sound track.
    """
    video = folder / f"{prefix}.mp4"
    sound = normalised(clip.sound)
    has_sound = bool(np.any(sound))
    with av.open(video, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        _write(container, clip, sound if has_sound else None)
    # A third into the clip something is going on.
    still = Image.fromarray(clip.frames[len(clip.frames) // 3])
    poster, thumbnail = folder / f"{prefix}.jpg", folder / f"{prefix}.webp"
    still.save(poster, quality=85, optimize=True, progressive=True)
    small = still.copy()
    small.thumbnail((THUMBNAIL_WIDTH_PX, THUMBNAIL_WIDTH_PX * 4))
    small.save(thumbnail, quality=80)
    with video.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Encoded(
        video=video,
        poster=poster,
        thumbnail=thumbnail,
        sha256=sha256,
        size_bytes=video.stat().st_size,
        width=still.width,
        height=still.height,
        duration_ms=round(clip.seconds * 1000),
        fps=clip.fps,
        has_sound=has_sound,
    )


def normalised(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring sound to about -14 LUFS, where feeds play, without a peak above -1 dB.

    Loudness is taken from the louder passages alone, as the gate of ITU-R BS.1770 does, but over
    the whole band: where no peak forbids it, the meter shows -14 within 2 dB.
    """
    block = SOUND_HZ // 10
    power = np.square(sound, dtype=np.float64).sum(0)
    blocks = np.array([part.mean() for part in np.array_split(power, max(1, len(power) // block))])
    audible = blocks[blocks > _SILENT_POWER]
    if not len(audible):
        return np.zeros_like(sound)
    loud = audible[audible >= audible.mean() / 10]
    gain = 10 ** (_LOUDNESS_DB / 20) / np.sqrt(loud.mean())
    gain = min(gain, _GAIN_MAX, _PEAK / float(np.abs(sound).max()))
    louder: NDArray[np.float32] = sound * np.float32(gain)
    return louder


_LOUDNESS_DB = -14.0
_PEAK = 10 ** (-1 / 20)
_GAIN_MAX = 8.0
"""A quiet place stays quieter than a loud one: nothing is lifted by more than 18 dB."""
_SILENT_POWER = 1e-7
"""The gate of the standard, -70 dB."""


def _write(container: Any, clip: Clip, sound: NDArray[np.float32] | None) -> None:
    # `Any`: PyAV's stubs leave the parameter of `Packet` open.
    height, width = clip.frames.shape[1:3]
    gop = str(KEYFRAME_EVERY_S * clip.fps)
    picture = container.add_stream(
        "libx264",
        rate=Fraction(clip.fps),
        options={
            "crf": "21",
            "preset": "veryfast",
            "profile": "high",
            "g": gop,
            "keyint_min": gop,
            "sc_threshold": "0",
            # One thread gives the same bytes on every machine, and leaves the others to others.
            "threads": "1",
        },
    )
    picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
    picture.time_base = Fraction(1, clip.fps)
    track = None
    if sound is not None:
        track = container.add_stream("aac", rate=SOUND_HZ)
        track.layout, track.bit_rate = "stereo", 128_000
    for frame in clip.frames:
        container.mux(picture.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
    container.mux(picture.encode())
    if sound is not None and track is not None:
        resampler = AudioResampler(format="fltp", layout="stereo", rate=SOUND_HZ)
        whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), "fltp", "stereo")
        whole.sample_rate = clip.sample_rate_hz
        for part in [*resampler.resample(whole), *resampler.resample(None)]:
            container.mux(track.encode(part))
        container.mux(track.encode())
