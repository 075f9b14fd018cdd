"""Sound reaches the models as they are used to hear it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myriorama.studio.diffusion import require
from myriorama.studio.hearing import latents_of, loudest, recorded, stereo
from myriorama.studio.ltx2 import LTX2Renderer
from myriorama.studio.ltx2_model import LTX2Model
from myriorama.studio.renderer import Recording
from tests.studio.foreign_media import tone, wav


def test_a_kept_voice_is_read(tmp_path: Path) -> None:
    samples = tone(0.5)

    voice = recorded(wav(tmp_path / "voice.wav", samples).read_bytes())

    assert voice.sample_rate_hz == 16_000
    assert np.array_equal(np.rint(voice.samples * 32_768).astype(np.int16), samples)


@pytest.mark.parametrize("shape", [(48_000,), (1, 48_000), (2, 48_000)])
def test_a_recording_keeps_its_pitch_at_another_rate(shape: tuple[int, ...]) -> None:
    wave = np.sin(np.arange(48_000) / 48_000 * 2 * np.pi * 440).astype(np.float32)

    heard = stereo(Recording(np.broadcast_to(wave, shape), 48_000), 16_000)

    assert heard.shape[0] == 2
    assert heard.shape[1] == pytest.approx(16_000, abs=64)
    spectrum = np.abs(np.fft.rfft(heard[1]))
    assert np.argmax(spectrum) * 16_000 / heard.shape[1] == pytest.approx(440, abs=3)


def test_the_loudest_stretch_of_a_long_recording_is_taken() -> None:
    samples = np.zeros((2, 1000), np.float32)
    samples[:, 620:700] = 1

    taken = loudest(samples, 200)

    assert taken.shape == (2, 200)
    assert taken.sum() == 160
    assert loudest(samples, 5000) is samples


def test_a_tone_lies_in_the_bin_of_its_pitch(ltx2: LTX2Renderer) -> None:
    heard: list[Any] = []
    ltx2.load()
    model = ltx2._model  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # What listens.
    assert isinstance(model, LTX2Model)

    def listen(_: Any, given: Any) -> None:
        heard.append(given[0])

    encode = model.text_to_video.audio_vae.encoder.register_forward_pre_hook(listen)
    tones = [np.sin(np.arange(16_000) / 16_000 * 2 * np.pi * hz) for hz in (300.0, 3000.0)]

    try:
        latents = [
            latents_of(model.text_to_video, np.stack([tone, tone]).astype(np.float32))
            for tone in tones
        ]
    finally:
        encode.remove()

    low, high = (int(require("torch").argmax(mel[0, 0].mean(0))) for mel in heard)
    # On Slaney's scale, 64 bins from 0 to 8 kHz: linear up to 1 kHz, then logarithmic.
    assert abs(low - 6) <= 1
    assert abs(high - 43) <= 2
    assert heard[0].shape == (1, 2, 101, 64)
    assert latents[0].shape[:2] == latents[1].shape[:2]
