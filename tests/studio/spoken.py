"""Lines as they are spoken for tests, and what a meter says of them."""

import numpy as np

from myriorama.studio.dialogue import Line
from myriorama.studio.pitch import median_pitch_hz
from myriorama.studio.sound import SOUND_HZ, Samples, loudness, resampled
from myriorama.studio.synthesis import RATE, Spoken, installed, spoken
from myriorama.studio.voices import Voice


def said_by(
    voice: Voice, text: str, *, rate: int = RATE, engines: frozenset[str] | None = None
) -> Spoken:
    (heard,) = spoken([(Line(text), voice)], rate, engines or installed())
    return heard


def pitch_hz(samples: Samples) -> float | None:
    slow = resampled(samples[None], SOUND_HZ, 16_000)[0]
    return median_pitch_hz((np.clip(slow, -1, 1) * 32_767).astype(np.int16), 16_000)


def lufs(samples: Samples) -> float:
    return loudness(np.stack([samples, samples])).integrated_lufs
