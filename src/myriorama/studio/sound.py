"""The sound of a clip as it leaves the studio: speech over what the model made, equally loud.

Loudness is that of ITU-R BS.1770-4, integrated, as FFmpeg's EBU R128 meter shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.error import BlockingIOError as FFmpegBlockingIOError
from av.error import EOFError as FFmpegEOFError
from av.filter import Graph
from numpy.typing import NDArray

from myriorama.studio.renderer import Clip

SOUND_HZ = 48_000
LOUDNESS_LUFS = -14.0
TRUE_PEAK_DB_MAX = -1.0
DUCKING_DB = -6.0

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Voiced:
    """A spoken line: mono samples at 48 kHz, heard from `start_s` on."""

    samples: Samples
    start_s: float


@dataclass(frozen=True)
class Loudness:
    """What a meter shows. What is nowhere louder than -70 LUFS is silent: -inf."""

    integrated_lufs: float
    true_peak_db: float


def mixed(clip: Clip, spoken: Sequence[Voiced] = ()) -> Clip:
    """Return the clip with its sound at 48 kHz, speech over it, and at -14 LUFS.

    While somebody speaks, all other sound is 6 dB lower. No true peak is above -1 dB. The sound is
    as long as the frames, to the sample.
    """
    length = round(len(clip.frames) * SOUND_HZ / clip.fps)
    bed = _fitted(resampled(clip.sound, clip.sample_rate_hz), length)
    return replace(clip, sound=levelled(_over(bed, spoken)), sample_rate_hz=SOUND_HZ)


def levelled(sound: Samples) -> Samples:
    """Bring stereo at 48 kHz to -14 LUFS. What a gain would drive over the top is limited.

    Silence stays silence, and a place so quiet that it would have to be lifted by more than 24 dB
    stays quieter than others.
    """
    measured = loudness(sound)
    if measured.integrated_lufs == -np.inf:
        return np.zeros_like(sound)
    gain_db = min(LOUDNESS_LUFS - measured.integrated_lufs, _GAIN_DB_MAX)
    wanted = measured.integrated_lufs + gain_db
    if measured.true_peak_db + gain_db <= TRUE_PEAK_DB_MAX:
        return _gained(sound, gain_db)
    levels = sound
    for _ in range(_LIMITER_PASSES):
        # What the limiter takes away, the next pass gives back; three come within 0.1 LU.
        levels = _limited(_gained(sound, gain_db))
        gain_db += wanted - loudness(levels).integrated_lufs
    over_db = loudness(levels).true_peak_db - TRUE_PEAK_DB_MAX
    return _gained(levels, -over_db) if over_db > 0 else levels


def loudness(sound: Samples, rate_hz: int = SOUND_HZ) -> Loudness:
    """Measure stereo of shape (2, samples)."""
    meter = Graph()
    shown = dict[str, str]()
    for part in _filtered(meter, "ebur128", "metadata=1:peak=true:framelog=quiet", sound, rate_hz):
        shown |= part.metadata
    integrated = float(shown.get("lavfi.r128.I", "-inf"))
    peak = float(shown.get("lavfi.r128.true_peak", "0"))
    return Loudness(
        integrated_lufs=integrated if integrated > _SILENT_LUFS else -np.inf,
        true_peak_db=20 * float(np.log10(peak)) if peak > 0 else -np.inf,
    )


def resampled(sound: Samples, rate_hz: int, wanted_hz: int = SOUND_HZ) -> Samples:
    """Return sound of shape (channels, samples), mono or stereo, at another rate."""
    if rate_hz == wanted_hz:
        return sound
    layout = "stereo" if len(sound) == _STEREO else "mono"
    resampler = AudioResampler(format="fltp", layout=layout, rate=wanted_hz)
    whole = _frame(sound, rate_hz)
    parts = [*resampler.resample(whole), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray() for part in parts], axis=1).astype(np.float32)


_STEREO = 2
_SILENT_LUFS = -70.0
_GAIN_DB_MAX = 24.0
_LIMITER_PASSES = 3
_LIMITER = "limit=0.871:level=disabled:attack=4:release=60:latency=1"
"""Just below -1 dB: what a true peak has more than its samples is seen to afterwards."""
_SPEECH_OVER_BED_DB = 4.0
_SPEECH_LUFS_MIN = -30.0
_EDGE_S = 0.12
"""How long the other sound takes to step back, and to return."""


def _over(bed: Samples, spoken: Sequence[Voiced]) -> Samples:
    """Lay speech in the middle over a bed that steps back for it."""
    speech = np.zeros(bed.shape[1], np.float32)
    ducked = np.zeros(bed.shape[1], np.float32)
    for line in spoken:
        start = min(max(0, round(line.start_s * SOUND_HZ)), len(speech))
        heard = line.samples[: len(speech) - start]
        speech[start : start + len(heard)] += heard
        ducked[start : start + len(heard)] = 1
    measured = loudness(np.stack([speech, speech])).integrated_lufs
    if measured == -np.inf:
        return bed
    beside = max(loudness(bed).integrated_lufs, _SPEECH_LUFS_MIN)
    voice = _gained(speech, beside + _SPEECH_OVER_BED_DB - measured)
    gain_db = _smoothed(ducked, round(_EDGE_S * SOUND_HZ)) * DUCKING_DB
    return (bed * np.power(10, gain_db / 20, dtype=np.float32) + voice).astype(np.float32)


def _smoothed(steps: Samples, width: int) -> Samples:
    """Turn each step into a ramp of `width` samples that has ended where the step up is."""
    raised = np.pad(steps, width, mode="edge")
    sums = np.cumsum(raised, dtype=np.float64)
    means = (sums[width:] - sums[:-width]) / width
    ahead, behind = means[width:], means[: len(steps)]
    ramps: Samples = np.maximum(np.maximum(ahead[: len(steps)], behind), steps).astype(np.float32)
    return ramps


def _limited(sound: Samples) -> Samples:
    parts = [part.to_ndarray() for part in _filtered(Graph(), "alimiter", _LIMITER, sound)]
    return _fitted(np.concatenate(parts, axis=1).astype(np.float32), sound.shape[1])


def _filtered(
    graph: Graph, name: str, options: str, sound: Samples, rate_hz: int = SOUND_HZ
) -> list[av.AudioFrame]:
    source = graph.add_abuffer(
        sample_rate=rate_hz, format="fltp", layout="stereo", time_base=Fraction(1, rate_hz)
    )
    through = graph.add(name, options)
    # The limiter works in doubles.
    back = graph.add("aformat", "sample_fmts=fltp")
    sink = graph.add("abuffersink")
    source.link_to(through)
    through.link_to(back)
    back.link_to(sink)
    graph.configure()
    graph.push(_frame(sound, rate_hz))
    graph.push(None)
    parts: list[av.AudioFrame] = []
    while True:
        try:
            part = graph.pull()
        except (FFmpegEOFError, FFmpegBlockingIOError):
            return parts
        if isinstance(part, av.AudioFrame):
            parts.append(part)


def _frame(sound: Samples, rate_hz: int) -> av.AudioFrame:
    layout = "stereo" if len(sound) == _STEREO else "mono"
    planes = np.ascontiguousarray(sound, np.float32)
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
    return frame


def _gained(sound: Samples, gain_db: float) -> Samples:
    louder: Samples = sound * np.float32(10 ** (gain_db / 20))
    return louder


def _fitted(sound: Samples, length: int) -> Samples:
    return np.pad(sound[:, :length], ((0, 0), (0, max(0, length - sound.shape[1]))))
