"""Clips play equally loud, and speech is heard over everything else.

The tones with which EBU Tech 3341 tries a meter are its first part: what the meter is to show for
them is laid down there.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from myriorama.studio.renderer import Clip
from myriorama.studio.sound import SOUND_HZ, Voiced, levelled, loudness, mixed

Samples = NDArray[np.float32]


def tone(
    *parts: tuple[float, float], rate_hz: int = SOUND_HZ, frequency_hz: float = 1000.0
) -> Samples:
    """Return a stereo tone of passages, each of a level in dB and a length in seconds."""
    levels = np.concatenate(
        [np.full(round(seconds * rate_hz), 10 ** (level_db / 20)) for level_db, seconds in parts]
    )
    wave = levels * np.sin(2 * np.pi * frequency_hz * np.arange(len(levels)) / rate_hz)
    return np.stack([wave, wave]).astype(np.float32)


def clip(sound: Samples, *, rate_hz: int = SOUND_HZ, fps: int = 24) -> Clip:
    frames = round(sound.shape[1] / rate_hz * fps)
    return Clip(np.zeros((frames, 32, 32, 3), np.uint8), fps, sound, rate_hz)


@pytest.mark.parametrize(
    ("signal", "shown_lufs"),
    [
        (tone((-23, 20)), -23),
        (tone((-33, 20)), -33),
        (tone((-36, 10), (-23, 60), (-36, 10)), -23),  # the quiet parts fall below the gate
        (tone((-26, 20), (-20, 20.1), (-26, 20)), -23),
    ],
)
def test_the_meter_shows_what_the_standard_says(signal: Samples, shown_lufs: float) -> None:
    assert loudness(signal).integrated_lufs == pytest.approx(shown_lufs, abs=0.1)


def test_the_meter_sees_peaks_between_the_samples() -> None:
    at = np.arange(SOUND_HZ)
    rising = np.minimum(1, at / 1_000)
    wave = (0.5 * rising * np.sin(np.pi / 2 * at + np.pi / 4)).astype(np.float32)

    assert np.abs(wave).max() < 0.36
    assert loudness(np.stack([wave, wave])).true_peak_db == pytest.approx(-6, abs=0.4)


@pytest.mark.parametrize("level_db", [-36, -20, -3])
def test_quiet_and_loud_clips_play_equally_loud(level_db: float) -> None:
    assert loudness(levelled(tone((level_db, 5)))).integrated_lufs == pytest.approx(-14, abs=0.2)


def test_clicks_are_limited_so_that_the_rest_is_loud_enough() -> None:
    sound = tone((-30, 5), frequency_hz=440.0)
    sound[:, ::12_000] += 0.6

    louder = loudness(levelled(sound))

    assert louder.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert louder.true_peak_db <= -0.95


def test_silence_stays_silence_and_a_hush_stays_a_hush() -> None:
    assert not levelled(np.zeros((2, 5 * SOUND_HZ), np.float32)).any()
    assert loudness(levelled(tone((-60, 5)))).integrated_lufs == pytest.approx(-36, abs=0.2)


def test_the_sound_is_as_long_as_the_frames_at_whatever_rate_it_came() -> None:
    came = clip(tone((-20, 3), rate_hz=24_000), rate_hz=24_000)

    made = mixed(came)

    assert (made.sound.shape, made.sample_rate_hz) == ((2, 3 * SOUND_HZ), SOUND_HZ)
    assert made.frames is came.frames


def test_all_else_is_six_decibels_lower_while_somebody_speaks() -> None:
    bed = clip(tone((-30, 6), frequency_hz=3000.0))
    speech = tone((-20, 2), frequency_hz=300.0)[0]

    heard = mixed(bed, [Voiced(speech, start_s=2.0)]).sound[0]

    def level_db(start_s: float, frequency_hz: int) -> float:
        second = heard[round(start_s * SOUND_HZ) :][:SOUND_HZ]
        return 20 * float(np.log10(np.abs(np.fft.rfft(second))[frequency_hz]))

    assert level_db(2.5, 3000) - level_db(0.5, 3000) == pytest.approx(-6, abs=0.1)
    assert level_db(4.5, 3000) - level_db(0.5, 3000) == pytest.approx(0, abs=0.1)
    assert level_db(2.5, 300) - level_db(2.5, 3000) > 6


def test_speech_alone_is_heard_and_none_outlasts_the_picture() -> None:
    silent = clip(np.zeros((2, 3 * SOUND_HZ), np.float32))
    speech = tone((-40, 2))[0]

    made = mixed(silent, [Voiced(speech, start_s=2.5)])

    assert made.sound.shape == (2, 3 * SOUND_HZ)
    assert loudness(made.sound).integrated_lufs == pytest.approx(-14, abs=0.5)
    assert not made.sound[:, : 2 * SOUND_HZ].any()
