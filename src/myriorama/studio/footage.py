"""Footage: foreign frames made upright and small, the best of them, and a new film.

Runs in the confined child alone (`decoding`).
"""

from fractions import Fraction
from types import TracebackType
from typing import BinaryIO, Self

import av
import numpy as np
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from myriorama.studio.x264 import STEADY

SOUND_RATE = 48_000
FRAMES_PER_S_MAX = 30


def shown_size(frame: VideoFrame, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Tell the width and height at which a frame is meant to be seen, upright, in square pixels."""
    width, height = frame.width, frame.height
    if pixel_aspect and Fraction(1, 4) <= pixel_aspect <= 4:  # noqa: PLR2004 - others are nonsense
        width = max(1, round(width * pixel_aspect))
    return (height, width) if _quarters(frame) % 2 else (width, height)


def fitted(size: tuple[int, int], side_px_max: int) -> tuple[int, int]:
    """Shrink a size so that its longer side fits; even, as H.264 wants it. Nothing is enlarged."""
    scale = min(1.0, side_px_max / max(size))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in size)
    return width, height


class Poster:
    """The frame that shows most: the sharpest one of the middle half, tried four times a second."""

    def __init__(self, *, side_px_max: int, duration_s: float) -> None:
        self._side_px_max = side_px_max
        self._duration_s = duration_s
        self._tried_at = float("-inf")
        self._rank = (False, -1.0)
        self._pixels: NDArray[np.uint8] | None = None

    def offer(self, frame: VideoFrame, at_s: float, size: tuple[int, int]) -> None:
        if at_s - self._tried_at < _TRY_EVERY_S:
            return
        self._tried_at = at_s
        in_middle = self._duration_s / 4 <= at_s <= self._duration_s * 3 / 4
        rank = (in_middle, _sharpness(frame))
        if rank > self._rank:
            self._rank = rank
            self._pixels = _upright_rgb(frame, fitted(size, self._side_px_max))

    def save(self, target: BinaryIO) -> None:
        if self._pixels is None:
            raise ValueError("no frame was offered")
        Image.fromarray(self._pixels).save(target, "PNG")
        target.flush()


class Film:
    """A new MP4 of H.264 and AAC, 30 frames a second at most, whose index comes first."""

    def __init__(
        self,
        target: BinaryIO,
        *,
        size: tuple[int, int],
        sound: NDArray[np.int16] | None,
        length_s_max: int,
    ) -> None:
        """Begin a film; `sound` is (samples, 2) at 48 kHz and starts with the first frame."""
        # Room is kept for the index at the start: players begin without reading to the end.
        index_bytes = 16_384 + 2_560 * length_s_max
        options = {"moov_size": str(index_bytes), "fflags": "+bitexact"}
        self._container = av.open(target, "w", format="mp4", options=options)
        self._size = size
        self._next_s = 0.0
        self._end_s = 0.0
        self._sound = sound
        self._pictures: VideoStream = self._container.add_stream(  # pyright: ignore[reportUnknownMemberType] - as said below
            "libx264", rate=FRAMES_PER_S_MAX, options=_X264
        )
        self._pictures.width, self._pictures.height = size
        self._pictures.pix_fmt = "yuv420p"
        self._pictures.thread_count = 1
        self._pictures.codec_context.time_base = _CLOCK
        self._track: AudioStream | None = None
        if sound is not None:
            self._track = self._container.add_stream("aac", rate=SOUND_RATE)  # pyright: ignore[reportUnknownMemberType] - as said below
            self._track.codec_context.layout = "stereo"
            self._track.bit_rate = 128_000
            self._track.codec_context.thread_count = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._mux_picture(None)
            self._mux_sound()
            self._container.close()

    def add(self, frame: VideoFrame, at_s: float) -> None:
        """Show a frame from `at_s` after the first one on, unless one has just begun."""
        self._end_s = at_s + 1 / FRAMES_PER_S_MAX
        if at_s < self._next_s:
            return
        self._next_s = at_s + 0.9 / FRAMES_PER_S_MAX
        new = _upright_yuv(frame, self._size)
        new.pts, new.time_base = round(at_s / _CLOCK), _CLOCK
        new.pict_type = PictureType.NONE
        self._mux_picture(new)

    # PyAV's stubs leave the parameters of packets and of streams open.
    def _mux_picture(self, frame: VideoFrame | None) -> None:
        self._container.mux(self._pictures.encode(frame))  # pyright: ignore[reportUnknownMemberType] - as said

    def _mux_heard(self, track: AudioStream, frame: AudioFrame | None) -> None:
        self._container.mux(track.encode(frame))  # pyright: ignore[reportUnknownMemberType] - as said

    def _mux_sound(self) -> None:
        if self._track is None or self._sound is None:
            return
        heard = self._sound[: round(self._end_s * SOUND_RATE)]
        for start in range(0, len(heard), SOUND_RATE):
            part = np.ascontiguousarray(heard[start : start + SOUND_RATE]).reshape(1, -1)
            frame = AudioFrame.from_ndarray(part, format="s16", layout="stereo")
            frame.sample_rate = SOUND_RATE
            frame.pts, frame.time_base = start, Fraction(1, SOUND_RATE)
            self._mux_heard(self._track, frame)
        self._mux_heard(self._track, None)


_TRY_EVERY_S = 0.25
_CLOCK = Fraction(1, 90_000)
_X264 = {"preset": "veryfast", "crf": "21", "a53cc": "0", **STEADY}


def _quarters(frame: VideoFrame) -> int:
    """Tell by how many quarter turns, counterclockwise, a camera wants its frame to be turned."""
    return round(frame.rotation / 90) % 4


def _scaled(frame: VideoFrame, size: tuple[int, int], pixels: str) -> VideoFrame:
    """Scale a frame to what is `size` after it has been turned."""
    width, height = reversed(size) if _quarters(frame) % 2 else size
    return frame.reformat(
        width=width, height=height, format=pixels, interpolation="BICUBIC", threads=1
    )


def _upright_rgb(frame: VideoFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
    pixels = _scaled(frame, size, "rgb24").to_ndarray().astype(np.uint8, copy=False)
    return np.ascontiguousarray(np.rot90(pixels, _quarters(frame)))


def _upright_yuv(frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
    turns = _quarters(frame)
    scaled = _scaled(frame, size, "yuv420p")
    if turns == 0:
        return scaled
    flat = scaled.to_ndarray().astype(np.uint8, copy=False).reshape(-1)
    luma, chroma = scaled.width * scaled.height, scaled.width * scaled.height // 4
    planes = (
        flat[:luma].reshape(scaled.height, scaled.width),
        flat[luma : luma + chroma].reshape(scaled.height // 2, scaled.width // 2),
        flat[luma + chroma :].reshape(scaled.height // 2, scaled.width // 2),
    )
    turned = np.concatenate([np.rot90(plane, turns).reshape(-1) for plane in planes])
    return VideoFrame.from_ndarray(turned.reshape(-1, size[0]), format="yuv420p")


def _sharpness(frame: VideoFrame) -> float:
    """Tell how much there is to see in a frame: the variance of its edges, looked at in small."""
    grey = frame.reformat(width=160, height=160, format="gray", threads=1).to_ndarray()
    edges = grey.astype(np.float32)
    edges = 4 * edges[1:-1, 1:-1] - (
        edges[:-2, 1:-1] + edges[2:, 1:-1] + edges[1:-1, :-2] + edges[1:-1, 2:]
    )
    return float(edges.var())
