"""Voices: the presets in which dialogue is spoken. Nobody's own voice is imitated.

A cameo has a preset, at about the pitch that was measured in what they recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from domain.cameo.voices import VOICES as VOICE_NAMES


@dataclass(frozen=True)
class Voice:
    """A preset: a variant of espeak-ng, and the pitches it has at 0, 25, 50, 75 and 99 of 99."""

    variant: str
    pitches_hz: tuple[int, int, int, int, int]
    pitch: int = 50

    @property
    def pitch_hz(self) -> float:
        """The pitch that it speaks at."""
        return float(np.interp(self.pitch, _PITCHES, self.pitches_hz))

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


def voice_of(preset: str, pitch_hz: float | None) -> Voice:
    """Return the preset, or if there is none of that name the one nearest to a pitch, at it."""
    if preset in VOICES:
        return VOICES[preset].at(pitch_hz)
    if pitch_hz is None:
        return VOICES[NARRATOR]
    nearest = next((name for name, top_hz in _RANGES if pitch_hz < top_hz), CHILD)
    return VOICES[nearest].at(pitch_hz)


_PITCHES = (0, 25, 50, 75, 99)
_RANGES = ((BASS, 105), (TENOR, 160), (ALTO, 215), (SOPRANO, 280))
