"""Recordings: clean copies of a video and of a voice, made anew from pictures and samples alone.

Runs in the confined child alone (`decoding`). No time that a file states is believed: what counts
is how much of it could be decoded.
"""

import wave
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

import av
import numpy as np
from av import AudioFrame, Packet, VideoFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.error import InvalidDataError
from av.stream import Disposition
from numpy.typing import NDArray

from myriorama.studio.footage import FRAMES_PER_S_MAX, SOUND_RATE, Film, Poster, fitted, shown_size
from myriorama.studio.inspection import Decoded, Limits, Refused, Role
from myriorama.studio.pitch import median_pitch_hz

VOICE_RATE = 16_000

Frame = TypeVar("Frame", AudioFrame, VideoFrame)


class Unfit(Exception):
    """Found while decoding: this may not enter."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


class Sound(NamedTuple):
    """What was heard: the voice at 16 kHz mono, and (samples, 2) at 48 kHz from `start_s` on."""

    voice: NDArray[np.int16]
    stereo: NDArray[np.int16]
    start_s: float
    ended: bool


class Shot(NamedTuple):
    """A frame, when it is seen after the first one, and for how long."""

    frame: VideoFrame
    at_s: float
    length_s: float
    pixel_aspect: Fraction | None


def clean_voice(source: BinaryIO, target: BinaryIO, *, media_type: str, limits: Limits) -> Decoded:
    """Write the voice as 16 kHz mono WAV, and tell its pitch.

    Raises:
        Unfit: there is none to be heard, or too little or too much of it.
    """
    sound = _heard(source, media_type, limits.voice_ms_max)
    if sound is None or not _audible(sound.voice):
        raise Unfit(Refused("no_sound", "there is nothing to be heard in it"))
    duration_ms = round(len(sound.voice) * 1000 / VOICE_RATE)
    if not sound.ended or duration_ms < limits.voice_ms_min - _GRACE_MS:
        raise _out_of_range(limits.voice_ms_min, limits.voice_ms_max)
    _write_voice(target, sound.voice)
    return Decoded(
        media_types={"voice": "audio/wav"},
        duration_ms=duration_ms,
        voice_pitch_hz=median_pitch_hz(sound.voice, VOICE_RATE),
    )


def clean_video(
    source: BinaryIO, targets: Mapping[Role, BinaryIO], *, media_type: str, limits: Limits
) -> Decoded:
    """Write the video as MP4, its best frame as PNG and, if there is any, its voice as WAV.

    Raises:
        Unfit: there is no picture, or it is too large, or it lasts too short or too long.
    """
    sound = _heard(source, media_type, limits.video_ms_max)
    source.seek(0)
    with opened(source, media_type) as container:
        duration_ms, size = _filmed(container, sound, targets, limits)
    media_types: dict[Role, str] = {"video": "video/mp4", "face": "image/png"}
    pitch_hz = None
    if sound is not None and _audible(sound.voice):
        _write_voice(targets["voice"], sound.voice)
        media_types["voice"] = "audio/wav"
        pitch_hz = median_pitch_hz(sound.voice, VOICE_RATE)
    return Decoded(
        media_types=media_types,
        width=size[0],
        height=size[1],
        duration_ms=duration_ms,
        voice_pitch_hz=pitch_hz,
    )


def opened(source: BinaryIO, media_type: str) -> InputContainer:
    """Open with the one demuxer that the first bytes ask for, which may open nothing further."""
    return av.open(
        source,
        "r",
        format=_DEMUXERS[media_type],
        container_options={"protocol_whitelist": "", "max_streams": "16"},
        metadata_errors="ignore",
    )


def shots(container: InputContainer, limits: Limits) -> Iterator[Shot]:
    """Decode the pictures, each checked, in the order and at the times in which they are seen."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        return
    stream = streams[0]
    context = stream.codec_context
    if stream.codec.name not in _PICTURE_CODECS:
        raise _codec_unsupported(stream.codec.name)
    if context.width * context.height > limits.frame_pixels_max:
        raise _frame_too_large(context.width, context.height, limits)
    context.thread_count = 1
    context.options = {"max_pixels": str(limits.frame_pixels_max)}
    frames_max = limits.video_ms_max * _FRAMES_PER_S_DECODED_MAX // 1000
    first_s, at_s = None, 0.0
    decode = cast("Callable[[Packet[Any]], list[VideoFrame]]", stream.decode)  # pyright: ignore[reportUnknownMemberType] - PyAV leaves its packets' parameter open
    for number, frame in enumerate(_decoded(container.demux(stream), decode)):
        if frame.width * frame.height > limits.frame_pixels_max:
            raise _frame_too_large(frame.width, frame.height, limits)
        length_s = float((frame.duration or 0) * (frame.time_base or 0))
        length_s = length_s if 0 < length_s < 1 else 1 / FRAMES_PER_S_MAX
        seen_s = frame.time if frame.pts is not None else at_s + length_s
        first_s = seen_s if first_s is None else first_s
        at_s = max(at_s, seen_s - first_s)
        if at_s * 1000 > limits.video_ms_max + _GRACE_MS or number > frames_max:
            raise _out_of_range(limits.video_ms_min, limits.video_ms_max)
        yield Shot(frame, at_s, length_s, context.sample_aspect_ratio)


_DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/mp4": "mov",
    "video/webm": "matroska",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
}
# What cameras and recorders write. Each codec more is code more that strangers can reach.
_PICTURE_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4"})
_SOUND_CODECS = frozenset({"aac", "mp3", "mp3float", "opus", "vorbis", "flac", "alac"})
_RATES = range(4_000, 192_001)
_CHANNELS_MAX = 8
_FRAMES_PER_S_DECODED_MAX = 240
_PACKETS_DAMAGED_MAX = 16
_AUDIBLE = 33  # of 32768: 60 dB below the loudest there can be
_GRACE_MS = 100  # recorders stop a few frames after, or before, the second they were asked for


def _heard(source: BinaryIO, media_type: str, ms_max: int) -> Sound | None:
    """Decode the first sound track, as far as it may last; None if there is none."""
    with opened(source, media_type) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        context = stream.codec_context
        if stream.codec.name not in _SOUND_CODECS and not stream.codec.name.startswith("pcm_"):
            raise _codec_unsupported(stream.codec.name)
        context.thread_count = 1
        resampler = AudioResampler("s16", "stereo", SOUND_RATE)
        parts: list[NDArray[np.int16]] = []
        heard_s, start_s, ended = 0.0, None, True
        decode = cast("Callable[[Packet[Any]], list[AudioFrame]]", stream.decode)  # pyright: ignore[reportUnknownMemberType] - PyAV leaves its packets' parameter open
        for frame in _decoded(container.demux(stream), decode):
            if start_s is None:
                start_s = _start_s(frame)
            if frame.sample_rate not in _RATES or frame.layout.nb_channels > _CHANNELS_MAX:
                raise ValueError(f"{frame.layout.nb_channels} channels at {frame.sample_rate} Hz")
            heard_s += frame.samples / frame.sample_rate
            if heard_s * 1000 > ms_max + _GRACE_MS:
                ended = False
                break
            parts += _samples(resampler, frame)
        if start_s is None:
            return None
        parts += _samples(resampler, None)
    stereo = _joined(parts).reshape(-1, 2)
    return Sound(_voice(stereo), stereo, start_s, ended)


def _filmed(
    container: InputContainer,
    sound: Sound | None,
    targets: Mapping[Role, BinaryIO],
    limits: Limits,
) -> tuple[int, tuple[int, int]]:
    """Film anew what the video shows, and tell how long that is in ms, and how large."""
    filmed = shots(container, limits)
    first = next(filmed, None)
    if first is None:
        raise Unfit(Refused("no_picture", "there is no picture to be seen in it"))
    first_s = _start_s(first.frame)
    size = shown_size(first.frame, first.pixel_aspect)
    film_size = fitted(size, limits.video_side_px_max)
    poster = Poster(
        side_px_max=limits.side_px_max, duration_s=(container.duration or 0) / av.time_base
    )
    end_s = 0.0
    stereo = None if sound is None else _aligned(sound, first_s, limits.video_ms_max)
    length_s_max = -(-limits.video_ms_max // 1000)
    with Film(targets["video"], size=film_size, sound=stereo, length_s_max=length_s_max) as film:
        for shot in chain([first], filmed):
            film.add(shot.frame, shot.at_s)
            poster.offer(shot.frame, shot.at_s, size)
            end_s = shot.at_s + shot.length_s
    if end_s * 1000 < limits.video_ms_min - _GRACE_MS:
        raise _out_of_range(limits.video_ms_min, limits.video_ms_max)
    targets["video"].flush()
    poster.save(targets["face"])
    return round(end_s * 1000), film_size


def _decoded(
    packets: "Iterable[Packet[Any]]", decode: "Callable[[Packet[Any]], list[Frame]]"
) -> Iterator[Frame]:
    """Decode a stream, past the odd damaged packet, as players do."""
    damaged = 0
    for packet in packets:
        try:
            frames = decode(packet)
        except InvalidDataError:
            damaged += 1
            if damaged > _PACKETS_DAMAGED_MAX:
                raise
            continue
        yield from frames


def _start_s(frame: AudioFrame | VideoFrame) -> float:
    return frame.time or 0.0


def _samples(resampler: AudioResampler, frame: AudioFrame | None) -> list[NDArray[np.int16]]:
    return [new.to_ndarray().astype(np.int16).reshape(-1) for new in resampler.resample(frame)]


def _voice(stereo: NDArray[np.int16]) -> NDArray[np.int16]:
    """Mix down to mono, and to the rate at which voices are kept."""
    resampler = AudioResampler("s16", "mono", VOICE_RATE)
    parts: list[NDArray[np.int16]] = []
    for start in range(0, len(stereo), SOUND_RATE):
        mono = stereo[start : start + SOUND_RATE].mean(axis=1).astype(np.int16)
        frame = AudioFrame.from_ndarray(mono.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SOUND_RATE
        parts += _samples(resampler, frame)
    parts += _samples(resampler, None)
    return _joined(parts)


def _joined(parts: list[NDArray[np.int16]]) -> NDArray[np.int16]:
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def _aligned(sound: Sound, first_s: float, ms_max: int) -> NDArray[np.int16] | None:
    """Move the sound so that it starts with the first frame: what came before is cut."""
    late = round((sound.start_s - first_s) * SOUND_RATE)
    if late > ms_max * SOUND_RATE // 1000:
        return None
    silence = np.zeros((max(late, 0), 2), np.int16)
    stereo = np.concatenate([silence, sound.stereo[max(-late, 0) :]])
    return stereo if len(stereo) else None


def _audible(voice: NDArray[np.int16]) -> bool:
    return bool(len(voice)) and int(np.abs(voice.astype(np.int32)).max()) >= _AUDIBLE


def _write_voice(target: BinaryIO, voice: NDArray[np.int16]) -> None:
    with wave.open(target, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(VOICE_RATE)
        recording.writeframes(voice.astype("<i2").tobytes())
    target.flush()


def _out_of_range(ms_min: int, ms_max: int) -> Unfit:
    detail = f"it lasts less than {ms_min} or more than {ms_max} milliseconds"
    return Unfit(Refused("duration_out_of_range", detail))


def _frame_too_large(width: int, height: int, limits: Limits) -> Unfit:
    detail = f"{width} x {height} pixels; at most {limits.frame_pixels_max} in all are taken"
    return Unfit(Refused("image_too_large", detail))


def _codec_unsupported(name: str) -> Unfit:
    return Unfit(Refused("media_type_unsupported", f"it is coded as {name[:40]}"))
