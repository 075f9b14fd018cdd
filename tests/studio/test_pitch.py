"""The pitch of a voice is found in it, and in nothing that is none."""

import numpy as np
import pytest

from myriorama.studio.pitch import median_pitch_hz
from tests.studio.foreign_media import tone


@pytest.mark.parametrize("pitch_hz", [70.0, 95.0, 120.0, 180.0, 233.0, 310.0, 440.0])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_a_pitch_is_found_within_two_percent_and_in_its_octave(pitch_hz: float, rate: int) -> None:
    samples = tone(1.0, pitch_hz=pitch_hz, rate=rate)
    noise = np.random.default_rng(1).normal(0, 300, len(samples)).astype(np.int16)

    assert median_pitch_hz(samples + noise, rate) == pytest.approx(pitch_hz, rel=0.02)


def test_pauses_do_not_count() -> None:
    speech = np.concatenate([np.zeros(16_000, np.int16), tone(0.4, pitch_hz=150.0)])

    assert median_pitch_hz(speech, 16_000) == pytest.approx(150, rel=0.02)


def test_what_is_not_voiced_has_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 16_000).astype(np.int16)

    for samples in (noise, np.zeros(16_000, np.int16), np.zeros(3, np.int16)):
        assert median_pitch_hz(samples, 16_000) is None
