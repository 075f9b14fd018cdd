"""Speech: the dialogue of a prompt, spoken by synthetic voices and placed in its clip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from myriorama.studio.captions import Cue
from myriorama.studio.dialogue import Line, lines
from myriorama.studio.renderer import Recording
from myriorama.studio.sound import SOUND_HZ, Voiced
from myriorama.studio.synthesis import RATE, Spoken, installed, spoken
from myriorama.studio.voices import NARRATOR, VOICES, Voice, voice_of


@dataclass(frozen=True)
class Speaker:
    """A cameo as it is heard: the name in the prompt, the preset chosen if any, and the pitch."""

    name: str
    voice: str = ""
    pitch_hz: float | None = None


@dataclass(frozen=True)
class Performance:
    """The dialogue of a clip. `unspoken` is what found no room in it, told and not spoken.

    `engines` are those that speak in it.
    """

    voiced: tuple[Voiced, ...] = ()
    cues: tuple[Cue, ...] = ()
    unspoken: tuple[str, ...] = ()
    engines: frozenset[str] = frozenset()

    def followed_by(self, other: "Performance") -> "Performance":
        """Return both: those of two shots, each at its time."""
        return Performance(
            self.voiced + other.voiced,
            self.cues + other.cues,
            self.unspoken + other.unspoken,
            self.engines | other.engines,
        )


def perform(
    prompt: str,
    seconds: float,
    *,
    start_s: float = 0.0,
    cast: Sequence[Speaker] = (),
    engines: frozenset[str] | None = None,
) -> Performance:
    """Speak what is quoted in a prompt, spread over so many seconds from `start_s` on.

    Lines keep their order and never overlap. Where they are too long they are spoken faster; what
    still finds no room is cut behind a word, and left to `unspoken`. `engines` are those that may
    speak, all that are installed if it is None; without any, all is left to `unspoken`.

    Raises:
        SpeechBroken: the synthesiser did not speak.
    """
    said = lines(prompt, [speaker.name for speaker in cast])
    engines = installed() if engines is None else engines
    if not said or not engines:
        return Performance(unspoken=tuple(line.text for line in said))
    stage = _Stage(engines, seconds)
    parts = [(line, _voice_of(line, cast)) for line in said]
    heard = spoken(parts, RATE, engines)
    room_s = seconds - _LEAD_S - _GAP_S * len(said)
    needed_s = sum(map(_seconds, heard))
    if needed_s > room_s:
        rate = min(_RATE_MAX, round(RATE * needed_s / max(room_s, 0.1) * 1.05))
        stage = replace(stage, rate=rate)
        heard = spoken(parts, rate, engines)
    kept, unspoken = _fitted(parts, heard, stage)
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


_RATE_MAX = 230
"""Words a minute: as fast as can still be followed."""
_LEAD_S, _GAP_S = 0.2, 0.15
_WORTH_S = 0.4
"""In less than this nothing can be said that makes sense."""


@dataclass(frozen=True)
class _Stage:
    """On what lines are spoken: by whom, for how long, and how fast."""

    engines: frozenset[str]
    seconds: float
    rate: int = RATE


def _seconds(heard: Spoken) -> float:
    return len(heard.samples) / SOUND_HZ


def _voice_of(line: Line, cast: Sequence[Speaker]) -> Voice:
    if line.cameo is not None:
        return voice_of(cast[line.cameo].voice, cast[line.cameo].pitch_hz)
    if line.speaker is None:
        return VOICES[NARRATOR]
    # Who is no cameo has a voice of their own too: always the same, and not always the same one.
    others = [name for name in VOICES if name != NARRATOR]
    return VOICES[others[sum(line.speaker.casefold().encode()) % len(others)]]


def _fitted(
    parts: Sequence[tuple[Line, Voice]], heard: Sequence[Spoken], stage: _Stage
) -> tuple[list[tuple[Line, Spoken]], list[str]]:
    """Keep lines while there is room; cut the first that is too long, and leave out the rest."""
    room_s = stage.seconds - _LEAD_S - _GAP_S
    kept: list[tuple[Line, Spoken]] = []
    for index, ((line, voice), whole) in enumerate(zip(parts, heard, strict=True)):
        if _seconds(whole) <= room_s:
            kept.append((line, whole))
            room_s -= _seconds(whole) + _GAP_S
            continue
        begun, rest = _cut(line, voice, whole, stage, room_s)
        if begun:
            kept.append(begun)
        return kept, [rest, *(other.text for other, _ in parts[index + 1 :])]
    return kept, []


def _cut(
    line: Line, voice: Voice, whole: Spoken, stage: _Stage, room_s: float
) -> tuple[tuple[Line, Spoken] | None, str]:
    """Speak as many of the first words as there is room for; return them, and the others."""
    if room_s < _WORTH_S:
        return None, line.text
    words = line.text.split()
    count = int(len(words) * room_s / _seconds(whole))
    while count > 0:
        begun = replace(line, text=" ".join(words[:count]))
        (heard,) = spoken([(begun, voice)], stage.rate, stage.engines)
        if _seconds(heard) <= room_s:
            return (begun, heard), " ".join(words[count:])
        # Long words may stand in front: each that is tried costs a moment.
        count = min(count - 1, int(count * room_s / _seconds(heard)))
    return None, line.text


def _placed(
    kept: Sequence[tuple[Line, Spoken]], unspoken: Sequence[str], *, seconds: float, start_s: float
) -> Performance:
    """Spread lines evenly, with equal pauses before, between and after them."""
    heard_s = sum(_seconds(heard) for _, heard in kept)
    pause_s = (seconds - heard_s) / (len(kept) + 1)
    voiced: list[Voiced] = []
    cues: list[Cue] = []
    at_s = start_s
    for line, heard in kept:
        at_s += pause_s
        end_s = at_s + _seconds(heard)
        voiced.append(Voiced(heard.samples, at_s))
        cues.append(Cue(round(at_s * 1000), round(end_s * 1000), line.text, line.speaker))
        at_s = end_s
    engines = frozenset(heard.engine for _, heard in kept if len(heard.samples))
    return Performance(tuple(voiced), tuple(cues), tuple(unspoken), engines)
