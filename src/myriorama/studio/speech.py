"""Speech: the dialogue of a prompt, spoken by synthetic voices and placed in its clip.

The voices are those of espeak-ng (the extra `speech`). Nobody's own voice is imitated: a cameo has
a preset, at about the pitch that was measured in what they recorded.
"""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from domain.cameo.voices import VOICES as VOICE_NAMES
from myriorama.studio.captions import Cue
from myriorama.studio.dialogue import Line, language, lines
from myriorama.studio.renderer import Recording
from myriorama.studio.sound import SOUND_HZ, Voiced, resampled

ENGINE = "espeak-ng"


@dataclass(frozen=True)
class Voice:
    """A preset: a variant of espeak-ng, and the pitches it has at 0, 25, 50, 75 and 99 of 99."""

    variant: str
    pitches_hz: tuple[int, int, int, int, int]
    pitch: int = 50

    def at(self, pitch_hz: float | None) -> "Voice":
        """Return this voice as near to a pitch as it comes."""
        if pitch_hz is None:
            return self
        return replace(self, pitch=round(float(np.interp(pitch_hz, self.pitches_hz, _PITCHES))))


# What owners of cameos choose from is what can speak: more names or fewer are an error at once.
NARRATOR, BASS, TENOR, ALTO, SOPRANO, CHILD = VOICE_NAMES
VOICES: Mapping[str, Voice] = {
    NARRATOR: Voice("m7", (74, 85, 103, 131, 168)),
    BASS: Voice("m1", (69, 74, 92, 119, 156)),
    TENOR: Voice("m3", (72, 84, 104, 133, 173), pitch=70),
    ALTO: Voice("f4", (111, 139, 177, 232, 304)),
    SOPRANO: Voice("f3", (144, 171, 207, 260, 335)),
    CHILD: Voice("Annie", (185, 207, 237, 284, 342), pitch=75),
}


@dataclass(frozen=True)
class Speaker:
    """A cameo as it is heard: the name in the prompt, the preset chosen if any, and the pitch."""

    name: str
    voice: str = ""
    pitch_hz: float | None = None


@dataclass(frozen=True)
class Performance:
    """The dialogue of a clip. `unspoken` is what found no room in it, told and not spoken."""

    voiced: tuple[Voiced, ...] = ()
    cues: tuple[Cue, ...] = ()
    unspoken: tuple[str, ...] = ()

    def followed_by(self, other: "Performance") -> "Performance":
        """Return both: those of two shots, each at its time."""
        return Performance(
            self.voiced + other.voiced, self.cues + other.cues, self.unspoken + other.unspoken
        )


class SpeechBroken(RuntimeError):
    """The synthesiser did not speak: a fault of this machine, or of a line that broke it."""


def perform(
    prompt: str, seconds: float, *, start_s: float = 0.0, cast: Sequence[Speaker] = ()
) -> Performance:
    """Speak what is quoted in a prompt, spread over so many seconds from `start_s` on.

    Lines keep their order and never overlap. Where they are too long they are spoken faster; what
    still finds no room is cut behind a word, and left to `unspoken`. Without espeak-ng all is.

    Raises:
        SpeechBroken: the synthesiser did not speak.
    """
    said = lines(prompt, [speaker.name for speaker in cast])
    if not said:
        return Performance()
    if not is_available():
        return Performance(unspoken=tuple(line.text for line in said))
    voices = [_voice_of(line, cast) for line in said]
    rate = _RATE
    spoken = _speak(said, voices, rate)
    room_s = seconds - _LEAD_S - _GAP_S * len(said)
    needed_s = sum(len(samples) for samples in spoken) / SOUND_HZ
    if needed_s > room_s:
        rate = min(_RATE_MAX, round(rate * needed_s / max(room_s, 0.1) * 1.05))
        spoken = _speak(said, voices, rate)
    kept, unspoken = _fitted(said, voices, spoken, rate=rate, seconds=seconds)
    return _placed(kept, unspoken, seconds=seconds, start_s=start_s)


def track(performance: Performance, seconds: float) -> Recording | None:
    """Return what is said as one recording of so many seconds; None if nobody speaks."""
    if not performance.voiced:
        return None
    samples = np.zeros(round(seconds * SOUND_HZ), np.float32)
    for voiced in performance.voiced:
        begin = round(voiced.start_s * SOUND_HZ)
        part = samples[begin : begin + len(voiced.samples)]
        part += voiced.samples[: len(part)]
    return Recording(samples, SOUND_HZ)


def speak(line: Line, voice: Voice) -> tuple[NDArray[np.float32], int]:
    """Speak one line: mono samples, and how many there are in a second. Always the same ones.

    Raises:
        SpeechBroken: the synthesiser did not speak.
    """
    return _speak([line], [voice], _RATE)[0], SOUND_HZ


def voice_of(preset: str, pitch_hz: float | None) -> Voice:
    """Return the preset, or if there is none of that name the one nearest to a pitch, at it."""
    if preset in VOICES:
        return VOICES[preset].at(pitch_hz)
    if pitch_hz is None:
        return VOICES[NARRATOR]
    nearest = next((name for name, top_hz in _RANGES if pitch_hz < top_hz), CHILD)
    return VOICES[nearest].at(pitch_hz)


def is_available() -> bool:
    """Tell whether the extra `speech` is installed."""
    return find_spec("espeakng_loader") is not None


_PITCHES = (0, 25, 50, 75, 99)
_RANGES = ((BASS, 105), (TENOR, 160), (ALTO, 215), (SOPRANO, 280))
_RATE, _RATE_MAX = 165, 230
"""Words a minute: as people talk, and as fast as can still be followed."""
_LEAD_S, _GAP_S = 0.2, 0.15
_WORTH_S = 0.4
"""In less than this nothing can be said that makes sense."""
_QUIET = 0.004
_SPEAKER = (sys.executable, "-I", "-m", "myriorama.studio.espeak")
_TIMEOUT_S = 60

Samples = NDArray[np.float32]


def _voice_of(line: Line, cast: Sequence[Speaker]) -> Voice:
    if line.cameo is not None:
        return voice_of(cast[line.cameo].voice, cast[line.cameo].pitch_hz)
    if line.speaker is None:
        return VOICES[NARRATOR]
    # Who is no cameo has a voice of their own too: always the same, and not always the same one.
    others = [name for name in VOICES if name != NARRATOR]
    return VOICES[others[sum(line.speaker.casefold().encode()) % len(others)]]


def _fitted(
    said: Sequence[Line],
    voices: Sequence[Voice],
    spoken: Sequence[Samples],
    *,
    rate: int,
    seconds: float,
) -> tuple[list[tuple[Line, Samples]], list[str]]:
    """Keep lines while there is room; cut the first that is too long, and leave out the rest."""
    room_s = seconds - _LEAD_S - _GAP_S
    kept: list[tuple[Line, Samples]] = []
    for index, (line, samples) in enumerate(zip(said, spoken, strict=True)):
        if len(samples) / SOUND_HZ <= room_s:
            kept.append((line, samples))
            room_s -= len(samples) / SOUND_HZ + _GAP_S
            continue
        begun, rest = _cut(line, voices[index], samples, rate=rate, room_s=room_s)
        if begun:
            kept.append(begun)
        return kept, [rest, *(other.text for other in said[index + 1 :])]
    return kept, []


def _cut(
    line: Line, voice: Voice, samples: Samples, *, rate: int, room_s: float
) -> tuple[tuple[Line, Samples] | None, str]:
    """Speak as many of the first words as there is room for; return them, and the others."""
    words = line.text.split()
    count = int(len(words) * room_s * SOUND_HZ / max(1, len(samples)))
    while room_s >= _WORTH_S and count > 0:
        begun = replace(line, text=" ".join(words[:count]))
        heard = _speak([begun], [voice], rate)[0]
        if len(heard) / SOUND_HZ <= room_s:
            return (begun, heard), " ".join(words[count:])
        count -= 1
    return None, line.text


def _placed(
    kept: Sequence[tuple[Line, Samples]], unspoken: Sequence[str], *, seconds: float, start_s: float
) -> Performance:
    """Spread lines evenly, with equal pauses before, between and after them."""
    heard_s = sum(len(samples) for _, samples in kept) / SOUND_HZ
    pause_s = (seconds - heard_s) / (len(kept) + 1)
    voiced: list[Voiced] = []
    cues: list[Cue] = []
    at_s = start_s
    for line, samples in kept:
        at_s += pause_s
        end_s = at_s + len(samples) / SOUND_HZ
        voiced.append(Voiced(samples, at_s))
        cues.append(Cue(round(at_s * 1000), round(end_s * 1000), line.text, line.speaker))
        at_s = end_s
    return Performance(tuple(voiced), tuple(cues), tuple(unspoken))


def _speak(said: Sequence[Line], voices: Sequence[Voice], rate: int) -> list[Samples]:
    asked = [
        (line.text, language(line.text), voice.variant, voice.pitch, rate)
        for line, voice in zip(said, voices, strict=True)
    ]
    try:
        answered = subprocess.run(  # noqa: S603 - our own program; the lines go by standard input
            _SPEAKER,
            input=json.dumps(asked).encode(),
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
            env={"PATH": os.defpath},
            cwd="/",
        ).stdout
    except (subprocess.SubprocessError, OSError) as error:
        raise SpeechBroken(f"espeak-ng did not speak: {error!r:.200}") from error
    spoken: list[Samples] = []
    for _ in said:
        (length,) = struct.unpack(">I", answered[:4])
        spoken.append(_heard(answered[4 : 4 + length]))
        answered = answered[4 + length :]
    return spoken


def _heard(content: bytes) -> Samples:
    """Return samples at 48 kHz, without the silence before and behind them."""
    samples: Samples = np.frombuffer(content, "<i2").astype(np.float32) / np.float32(32_768)
    audible = np.flatnonzero(np.abs(samples) > _QUIET)
    if not len(audible):
        return np.zeros(0, np.float32)
    heard: Samples = resampled(samples[None, audible[0] : audible[-1] + 1], _ESPEAK_HZ)[0]
    return heard


_ESPEAK_HZ = 22_050
