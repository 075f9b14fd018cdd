"""The ladder of a video: renditions of falling size, cut into segments for adaptive streaming.

Made from the published MP4, so that the marks in its picture are in every rung: the top rung is its
own packets again, the others are encoded from what it shows. HLS and fMP4, as RFC 8216 has them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.error import InvalidDataError
from av.video.frame import PictureType
from av.video.reformatter import Interpolation

from myriorama.studio.x264 import STEADY

SEGMENT_S = 2
SHRUNK = (Fraction(2, 3), Fraction(1, 2))
"""How large the rungs below the top are, by its sides."""
SIDE_PX_MIN = 128
DURATION_S_MAX = 600
PIXELS_MAX = 4096 * 2304


class VideoUnreadable(Exception):
    """This is no video that the studio has published."""


@dataclass(frozen=True)
class Segment:
    """A piece of a rung, and how long it lasts."""

    path: Path
    duration_ms: int


@dataclass(frozen=True)
class Rung:
    """One rendition. `peak_bits_s` is that of its heaviest segment, `codecs` as RFC 6381 has it."""

    width: int
    height: int
    fps: int
    codecs: str
    peak_bits_s: int
    average_bits_s: int
    opening: Path
    segments: tuple[Segment, ...]


def build_ladder(video: Path, folder: Path) -> list[Rung]:
    """Write the rungs of a video into a folder that exists, the largest first.

    A video too small for three rungs has fewer.

    Raises:
        VideoUnreadable: it is none of ours, or too long or too large.
        OSError: the disk is full, say.
    """
    try:
        with av.open(video, "r", format="mp4") as source:
            return _Ladder(source, folder).build()
    except InvalidDataError as error:
        raise VideoUnreadable(f"it cannot be decoded: {error}") from error


class _Ladder:
    """Reads the video once; every frame goes to all rungs that are encoded."""

    def __init__(self, source: Any, folder: Path) -> None:
        # `Any`: PyAV's stubs leave the parameter of `Packet` open.
        self._source = source
        if not source.streams.video:
            raise VideoUnreadable("there is no picture in it")
        self._picture = source.streams.video[0]
        self._sound = source.streams.audio[0] if source.streams.audio else None
        _check(source, self._picture)
        self._picture.codec_context.thread_count = 1
        self._top = _Copied(folder / "top", self._picture, self._sound)
        sizes = _sizes(self._picture.width, self._picture.height)
        self._below = [
            _Encoded(folder / f"below-{index}", self._picture, self._sound, size)
            for index, size in enumerate(sizes)
        ]

    def build(self) -> list[Rung]:
        tracks = [track for track in (self._picture, self._sound) if track is not None]
        for packet in self._source.demux(tracks):
            is_picture = packet.stream is self._picture
            if is_picture:
                self._show(packet.decode())  # the empty packet at the end brings the last frames
            if packet.dts is None:
                continue
            for rung in self._below if not is_picture else ():
                rung.hear(packet)
            self._top.take(packet, is_picture=is_picture)
        return [self._top.close(), *(rung.close() for rung in self._below)]

    def _show(self, frames: Sequence[Any]) -> None:
        for frame in frames:
            for rung in self._below:
                rung.show(frame)


class _Playlist:
    """Cuts what is muxed into it into segments, and tells what came of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        options = {
            "hls_time": str(SEGMENT_S),
            "hls_playlist_type": "vod",
            "hls_segment_type": "fmp4",
            "hls_flags": "independent_segments",
            "hls_segment_filename": str(folder / "%05d.m4s"),
            "hls_fmp4_init_filename": "opening.mp4",
        }
        self.container: Any = av.open(folder / "rung.m3u8", "w", format="hls", options=options)

    def close(self, *, width: int, height: int, fps: int, has_sound: bool) -> Rung:
        self.container.close()
        lines = (self._folder / "rung.m3u8").read_text(encoding="ascii").splitlines()
        segments = tuple(
            Segment(self._folder / name, round(float(_LENGTH.match(length)[1]) * 1000))  # type: ignore[index]  # the muxer writes them so
            for length, name in pairwise(lines)
            if length.startswith("#EXTINF:")
        )
        opening = self._folder / "opening.mp4"
        rates = [8000 * s.path.stat().st_size // max(1, s.duration_ms) for s in segments]
        total_ms = sum(segment.duration_ms for segment in segments)
        bits = sum(8 * segment.path.stat().st_size for segment in segments)
        return Rung(
            width=width,
            height=height,
            fps=fps,
            codecs=_codecs(opening.read_bytes(), has_sound=has_sound),
            peak_bits_s=max(rates),
            average_bits_s=1000 * bits // max(1, total_ms),
            opening=opening,
            segments=segments,
        )


class _Copied:
    """The rung that is the video's own packets."""

    def __init__(self, folder: Path, picture: Any, sound: Any) -> None:
        self._source = picture
        self._playlist = _Playlist(folder)
        container = self._playlist.container
        self._picture = container.add_stream_from_template(picture)
        self._sound = container.add_stream_from_template(sound) if sound is not None else None

    def take(self, packet: Any, *, is_picture: bool) -> None:
        packet.stream = self._picture if is_picture else self._sound
        self._playlist.container.mux(packet)

    def close(self) -> Rung:
        return self._playlist.close(
            width=self._source.width,
            height=self._source.height,
            fps=round(self._source.average_rate),
            has_sound=self._sound is not None,
        )


class _Encoded:
    """A rung whose picture is encoded anew and smaller; the sound is the video's own."""

    def __init__(self, folder: Path, picture: Any, sound: Any, size: tuple[int, int]) -> None:
        self._width, self._height = size
        self._fps = round(picture.average_rate)
        self._playlist = _Playlist(folder)
        container = self._playlist.container
        self._picture = container.add_stream("libx264", rate=self._fps, options=self._options())
        self._picture.width, self._picture.height = size
        self._picture.pix_fmt = "yuv420p"
        self._picture.time_base = self._clock = picture.time_base
        theirs, ours = picture.codec_context, self._picture.codec_context
        ours.colorspace, ours.color_range = theirs.colorspace, theirs.color_range
        ours.color_primaries, ours.color_trc = theirs.color_primaries, theirs.color_trc
        shape = Fraction(picture.width * self._height, picture.height * self._width)
        ours.sample_aspect_ratio = shape.limit_denominator(1000)
        self._sound = container.add_stream_from_template(sound) if sound is not None else None

    def show(self, frame: Any) -> None:
        smaller = frame.reformat(
            width=self._width, height=self._height, interpolation=_SCALING, threads=1
        )
        smaller.pts, smaller.time_base = frame.pts, self._clock
        smaller.pict_type = PictureType.NONE  # what is a key frame here is decided here
        self._playlist.container.mux(self._picture.encode(smaller))

    def hear(self, packet: Any) -> None:
        packet.stream = self._sound
        self._playlist.container.mux(packet)

    def close(self) -> Rung:
        self._playlist.container.mux(self._picture.encode())
        return self._playlist.close(
            width=self._width,
            height=self._height,
            fps=self._fps,
            has_sound=self._sound is not None,
        )

    def _options(self) -> dict[str, str]:
        bits_s = round(self._width * self._height * self._fps * _BITS_A_PIXEL_MAX)
        gop = str(SEGMENT_S * self._fps)
        return {
            "preset": "veryfast",
            "profile": "high",
            "crf": "24",
            "maxrate": str(bits_s),
            "bufsize": str(2 * bits_s),
            "g": gop,
            "keyint_min": gop,
            "sc_threshold": "0",
            **STEADY,
        }


_SCALING = Interpolation.BICUBIC
_BITS_A_PIXEL_MAX = 0.2
_LENGTH = re.compile(r"#EXTINF:([0-9.]+),")
_AAC = "mp4a.40.2"


def _codecs(opening: bytes, *, has_sound: bool) -> str:
    """Return what players must be able to decode, as the opening of a rung says it."""
    at = opening.index(b"avcC") + 5
    picture = f"avc1.{opening[at : at + 3].hex()}"
    return f"{picture},{_AAC}" if has_sound else picture


def _check(source: Any, picture: Any) -> None:
    if picture.codec_context.name != "h264" or not picture.average_rate:
        raise VideoUnreadable("its picture is not coded as ours are")
    if picture.width * picture.height > PIXELS_MAX:
        raise VideoUnreadable(f"{picture.width}x{picture.height} is too large")
    if not source.duration or source.duration / av.time_base > DURATION_S_MAX:
        raise VideoUnreadable("it is too long, or does not say how long it is")


def _sizes(width: int, height: int) -> Iterator[tuple[int, int]]:
    for share in SHRUNK:
        size = (_in_blocks(width * share), _in_blocks(height * share))
        if min(size) >= SIDE_PX_MIN:
            yield size


def _in_blocks(side: Fraction) -> int:
    # H.264 codes in blocks of 16: what does not fill them costs and shows nothing. The file tells
    # players by how much to stretch the picture for its shape to be the video's.
    return round(side / 16) * 16
