"""Plays scripts: the sound of every event at its moment, over the sound of the place."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from myriorama.studio.emoji.architecture import HOP, MEL_BINS, SAMPLE_RATE_HZ
from myriorama.studio.emoji.scripts import SECONDS, Script, Sound
from myriorama.studio.emoji.vocabulary import Place

SAMPLES = round(SECONDS * SAMPLE_RATE_HZ)


def waves_of(scripts: Sequence[Script]) -> Tensor:
    """Return mono sound within [-1, 1]: (clips, SAMPLES)."""
    return torch.stack([_wave(script) for script in scripts])


def mel_of(waves: Tensor) -> Tensor:
    """Return spectrograms as LTX-2 wants them, in natural logarithms: (clips, 2, columns, bins)."""
    window = torch.hann_window(_FFT, device=waves.device)
    spectrum = torch.stft(waves, _FFT, HOP, _FFT, window, return_complex=True).abs()
    mel = torch.log((_FILTERS.to(waves.device) @ spectrum).clamp(min=_FLOOR)).transpose(1, 2)
    return mel[:, None].expand(-1, 2, -1, -1).contiguous()


_FFT = 1024
_FLOOR = 1e-3


def _filters() -> Tensor:
    """Triangles at equal distances in mel, each of the same area."""
    top = 2595 * math.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, MEL_BINS + 2) / 2595) - 1)
    hertz = torch.linspace(0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)[None]
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return torch.minimum(rise, fall).clamp(min=0) * 80 / (high - low)


_FILTERS = _filters()
_TIME = torch.arange(SAMPLES) / SAMPLE_RATE_HZ
_TURN = 2 * math.pi * _TIME


def _wave(script: Script) -> Tensor:
    # Noise is drawn from the script's own lot, so that the same script always sounds the same.
    generator = torch.Generator().manual_seed(round(script.phase * 2**31))
    noise = _FOURIER.rfft(torch.randn(SAMPLES, generator=generator))
    wave = _AMBIENCES[script.place](noise)
    for event in script.moves.events:
        wave = wave + _SOUNDS[event.sound](event.at_s, noise)
    return wave.clamp(-1, 1)


_FOURIER: Any = torch.fft
"""torch leaves it untyped."""


def _band(noise: Tensor, low_hz: float, high_hz: float) -> Tensor:
    hertz = torch.arange(len(noise)) * (SAMPLE_RATE_HZ / SAMPLES)
    band: Tensor = _FOURIER.irfft(noise * ((hertz > low_hz) & (hertz < high_hz)), n=SAMPLES)
    return band


def _gate(hertz: float, *, share: float, late: float = 0.0) -> Tensor:
    """Open for a share of each cycle."""
    return ((_TIME * hertz - late) % 1 < share).float()


def _glide(first_hz: float, last_hz: float, *, at_s: float, seconds: float, decay: float) -> Tensor:
    since = _TIME - at_s
    inside = since.clamp(0, seconds)
    phase = 2 * math.pi * inside * (first_hz + (last_hz - first_hz) * inside / (2 * seconds))
    sounding = (since >= 0) & (since < seconds)
    attack, release = (since * 200).clamp(0, 1), ((seconds - since) * 100).clamp(0, 1)
    return torch.where(
        sounding, torch.sin(phase) * torch.exp(-since * decay) * attack * release, 0.0
    )


def _boing(at_s: float, _: Tensor) -> Tensor:
    return 0.6 * _glide(240, 700, at_s=at_s, seconds=0.25, decay=8)


def _chime(at_s: float, _: Tensor) -> Tensor:
    notes = (660, 880, 990, 1320, 1760)
    return sum(
        (
            0.3 * _glide(note, note, at_s=at_s + 0.4 * index, seconds=0.38, decay=6)
            for index, note in enumerate(notes)
        ),
        start=torch.zeros(SAMPLES),
    )


def _drop(at_s: float, _: Tensor) -> Tensor:
    return 0.18 * _glide(1500, 500, at_s=at_s, seconds=0.95, decay=0.4)


def _rattle(_: float, noise: Tensor) -> Tensor:
    return _band(noise, 1500, 5000) * 0.7 * _gate(8, share=1 / 3, late=1 / 12)


def _rise(at_s: float, _: Tensor) -> Tensor:
    return 0.35 * _glide(220, 1000, at_s=at_s, seconds=SECONDS, decay=0)


def _rumble(_: float, noise: Tensor) -> Tensor:
    return _band(noise, 60, 300) * 1.2 * (0.6 + 0.4 * torch.sin(_TURN * 4))


def _sink(at_s: float, _: Tensor) -> Tensor:
    return 0.35 * _glide(1000, 220, at_s=at_s, seconds=SECONDS, decay=0)


def _spring(at_s: float, _: Tensor) -> Tensor:
    return 0.5 * _glide(220, 900, at_s=at_s, seconds=0.3, decay=3)


def _thud(at_s: float, _: Tensor) -> Tensor:
    return 0.9 * _glide(150, 60, at_s=at_s, seconds=0.28, decay=11)


def _whirr(_: float, __: Tensor) -> Tensor:
    return 0.3 * torch.sin(_TURN * 330) * (0.5 + 0.5 * torch.sin(_TURN * 5))


def _whoosh(_: float, noise: Tensor) -> Tensor:
    swell = torch.exp(-(((_TIME - SECONDS / 2) / (SECONDS * 0.2)) ** 2))
    return _band(noise, 400, 2500) * 0.7 * swell


_SOUNDS: dict[Sound, Callable[[float, Tensor], Tensor]] = {
    Sound.BOING: _boing,
    Sound.CHIME: _chime,
    Sound.DROP: _drop,
    Sound.RATTLE: _rattle,
    Sound.RISE: _rise,
    Sound.RUMBLE: _rumble,
    Sound.SINK: _sink,
    Sound.SPRING: _spring,
    Sound.THUD: _thud,
    Sound.WHIRR: _whirr,
    Sound.WHOOSH: _whoosh,
}


def _quiet(_: Tensor) -> Tensor:
    return torch.zeros(SAMPLES)


def _waves(noise: Tensor) -> Tensor:
    return _band(noise, 200, 2500) * 0.06 * (1 + torch.sin(_TURN * 0.5))


def _wind(noise: Tensor) -> Tensor:
    return _band(noise, 100, 500) * 0.08


def _birds(_: Tensor) -> Tensor:
    return 0.05 * torch.sin(_TURN * 3000 + 6 * torch.sin(_TURN * 9)) * _gate(1.4, share=0.25)


def _crickets(_: Tensor) -> Tensor:
    return 0.05 * torch.sin(_TURN * 4200) * _gate(3, share=0.4)


def _drizzle(noise: Tensor) -> Tensor:
    return _band(noise, 800, 7000) * 0.1


def _hum(_: Tensor) -> Tensor:
    return 0.06 * torch.sin(_TURN * 90)


def _murmur(noise: Tensor) -> Tensor:
    return _band(noise, 300, 900) * 0.05


def _bubbling(noise: Tensor) -> Tensor:
    return _band(noise, 40, 250) * 0.15


_AMBIENCES: dict[Place, Callable[[Tensor], Tensor]] = {
    Place.BEACH: _waves,
    Place.DESERT: _quiet,
    Place.MEADOW: _birds,
    Place.NIGHT: _crickets,
    Place.RAIN: _drizzle,
    Place.SNOW: _wind,
    Place.SPACE: _hum,
    Place.STAGE: _murmur,
    Place.UNDERWATER: _bubbling,
}
