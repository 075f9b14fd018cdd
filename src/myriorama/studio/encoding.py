"""Turns a clip into files: an MP4 that plays at once, with stills and captions; or a master."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.subtitles.subtitle import SubtitleSet
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from myriorama.studio.captions import Cue, webvtt
from myriorama.studio.renderer import Clip
from myriorama.studio.sound import resampled
from myriorama.studio.stills import save_sprite_sheet, save_stills
from myriorama.studio.x264 import STEADY

SOUND_HZ = 48_000
KEYFRAME_EVERY_S = 2


@dataclass(frozen=True)
class Encoded:
    """The files of a video, with what the log records of it.

    `sha256` and `size_bytes` are those of the MP4 file. `captions` is None if nobody speaks.
    """

    video: Path
    poster: Path
    thumbnail: Path
    sprite: Path
    captions: Path | None
    sha256: str
    size_bytes: int
    width: int
    height: int
    duration_ms: int
    fps: int
    has_sound: bool


def encode(  # noqa: PLR0913 - what is shown, and three things to say of what is heard
    clip: Clip,
    folder: Path,
    *,
    cues: Sequence[Cue] = (),
    unspoken: Sequence[str] = (),
    engines: Collection[str] = (),
    prefix: str = "video",
) -> Encoded:
    """Write `<prefix>.mp4`, `.jpg`, `.webp`, `-sprite.webp` and `.vtt` into a folder that exists.

    The MP4 is H.264 and AAC with its index in front, so that players can start and seek by range
    requests; its sound is the clip's as it is, and its captions are a text track besides. A clip
    that is silent throughout gets no sound track. The same clip gives the same bytes.
    """
    video = folder / f"{prefix}.mp4"
    has_sound = bool(np.any(clip.sound))
    with av.open(video, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        _Film(container, clip, _PUBLISHED, cues).write()
    poster, thumbnail = folder / f"{prefix}.jpg", folder / f"{prefix}.webp"
    save_stills(clip.frames, poster=poster, thumbnail=thumbnail)
    sprite = folder / f"{prefix}-sprite.webp"
    save_sprite_sheet(clip.frames, clip.fps, sprite)
    captions = folder / f"{prefix}.vtt" if cues or unspoken else None
    if captions:
        captions.write_text(webvtt(cues, unspoken=unspoken, engines=engines), encoding="utf-8")
    with video.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    height, width = clip.frames.shape[1:3]
    return Encoded(
        video=video,
        poster=poster,
        thumbnail=thumbnail,
        sprite=sprite,
        captions=captions,
        sha256=sha256,
        size_bytes=video.stat().st_size,
        width=width,
        height=height,
        duration_ms=round(clip.seconds * 1000),
        fps=clip.fps,
        has_sound=has_sound,
    )


def write_master(clip: Clip, path: Path) -> None:
    """Write a clip as it came, nearly without loss: all of its colours, and its samples in 24 bits.

    The same clip gives the same bytes. It bears no mark, so nobody but the studio may ever get it;
    `masters.read` takes it up again.
    """
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        _Film(container, clip, _MASTER).write()


@dataclass(frozen=True)
class _Quality:
    picture: dict[str, str]
    pixels: str
    sound: str
    sound_format: str
    bit_rate: int | None = None


# Pictures that can be started at come when they are due, not when a scene seems to change.
_OPTIONS = {"sc_threshold": "0", **STEADY}
_PUBLISHED = _Quality(
    picture={"crf": "21", "preset": "veryfast", "profile": "high", **_OPTIONS},
    pixels="yuv420p",
    sound="aac",
    sound_format="fltp",
    bit_rate=128_000,
)
_MASTER = _Quality(
    picture={"crf": "10", "preset": "ultrafast", **_OPTIONS},
    pixels="yuv444p",
    sound="alac",
    sound_format="s32p",
)
# Of the ways to come by the colours of four pixels at once, the mean loses least.
_SCALING = Interpolation.AREA | Interpolation.BITEXACT
_CAPTION_CLOCK = Fraction(1, 1000)
_CAPTION_STYLE = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


class _Film:
    """Writes the tracks of one clip side by side, so that a file can be played while it comes."""

    def __init__(
        self, container: Any, clip: Clip, quality: _Quality, cues: Sequence[Cue] = ()
    ) -> None:
        # `Any`: PyAV's stubs leave the parameter of `Packet` open.
        self._container = container
        self._clip = clip
        self._quality = quality
        self._cues = cues
        self._reformatter = VideoReformatter()
        self._picture = self._picture_track()
        self._sound: Any = self._sound_track() if np.any(clip.sound) else None
        self._text: Any = self._text_track() if cues else None

    def write(self) -> None:
        for packet in self._captions():
            self._container.mux(packet)
        sound = self._samples() if self._sound is not None else None
        for index, pixels in enumerate(self._clip.frames):
            self._container.mux(self._picture.encode(self._frame(pixels)))
            if sound is not None and index % self._clip.fps == 0:
                second = index // self._clip.fps
                self._mux_sound(sound[:, second * SOUND_HZ : (second + 1) * SOUND_HZ], second)
        self._container.mux(self._picture.encode())
        if self._sound is not None:
            self._container.mux(self._sound.encode())

    def _picture_track(self) -> Any:
        height, width = self._clip.frames.shape[1:3]
        gop = str(KEYFRAME_EVERY_S * self._clip.fps)
        options = {**self._quality.picture, "g": gop, "keyint_min": gop}
        track = self._container.add_stream(
            "libx264", rate=Fraction(self._clip.fps), options=options
        )
        track.width, track.height, track.pix_fmt = width, height, self._quality.pixels
        track.time_base = Fraction(1, self._clip.fps)
        context = track.codec_context
        # What players guess of a picture as large as this; said, nobody has to guess.
        context.colorspace = context.color_primaries = context.color_trc = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        return track

    def _sound_track(self) -> Any:
        track = self._container.add_stream(self._quality.sound, rate=SOUND_HZ)
        track.layout, track.format = "stereo", self._quality.sound_format
        if self._quality.bit_rate:
            track.bit_rate = self._quality.bit_rate
        return track

    def _text_track(self) -> Any:
        track = self._container.add_stream("mov_text")
        track.time_base = _CAPTION_CLOCK
        track.codec_context.subtitle_header = _CAPTION_STYLE
        return track

    def _frame(self, pixels: NDArray[np.uint8]) -> av.VideoFrame:
        whole = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="rgb24")
        return self._reformatter.reformat(
            whole,
            format=self._quality.pixels,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_SCALING,
            threads=1,
        )

    def _samples(self) -> NDArray[np.float32]:
        sound = resampled(self._clip.sound, self._clip.sample_rate_hz, SOUND_HZ)
        # Samples beyond the last frame would lengthen the video.
        return sound[:, : round(self._clip.seconds * SOUND_HZ)]

    def _mux_sound(self, part: NDArray[np.float32], second: int) -> None:
        if not part.shape[1]:
            return
        planes: NDArray[Any] = np.ascontiguousarray(part, np.float32)
        if self._quality.sound_format == "s32p":
            # 24 of the 32 bits are kept; the clip's samples have no more.
            planes = (np.clip(np.rint(planes * 2.0**23), -(2**23), 2**23 - 1)).astype(np.int32) << 8
        frame = av.AudioFrame.from_ndarray(planes, self._quality.sound_format, "stereo")
        frame.sample_rate, frame.time_base = SOUND_HZ, Fraction(1, SOUND_HZ)
        frame.pts = second * SOUND_HZ
        self._container.mux(self._sound.encode(frame))

    def _captions(self) -> list[Any]:
        packets: list[Any] = []
        for cue in self._cues:
            length = cue.end_ms - cue.start_ms
            said = f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
            # The braces and backslashes of the format in between would be read as its commands.
            plain = said.translate({ord("{"): "(", ord("}"): ")", ord("\\"): "/"})
            dialogue = f"0,0,Default,,0,0,0,,{' '.join(plain.split())}".encode()
            shown = SubtitleSet.create(text=dialogue, start=0, end=length, pts=cue.start_ms)
            packet = self._text.codec_context.encode_subtitle(shown)
            packet.stream, packet.time_base = self._text, _CAPTION_CLOCK
            packet.pts = packet.dts = cue.start_ms
            packet.duration = length
            packets.append(packet)
        return packets
