"""The sound of a clip: an ambient bed for the place, and effects that start with their frames."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.lexicon import Light, Place, Weather
from myriorama.studio.motions import Cue, Sound
from myriorama.studio.scenery import Surroundings

SAMPLE_RATE_HZ = 48_000

Wave = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """The cues of one subject, heard from where it stands: 0 is left and 1 is right."""

    cues: Sequence[Cue]
    position: float
    pitch_hz: float | None = None


def soundtrack(
    parts: Iterable[Part],
    surroundings: Surroundings,
    *,
    frames: int,
    fps: int,
    seed: int,
) -> NDArray[np.float32]:
    """Play every cue over the bed: stereo of shape (2, samples), as long as the frames."""
    rng = np.random.default_rng(seed)
    samples = round(frames / fps * SAMPLE_RATE_HZ)
    stereo = _bed(surroundings, samples, rng)
    for part in parts:
        for cue in part.cues:
            wave = _PLAYED[cue.sound](cue, part.pitch_hz or 220.0, rng) * cue.strength
            start = round(cue.frame / fps * SAMPLE_RATE_HZ)
            end = min(samples, start + len(wave))
            angle = (0.25 + 0.5 * part.position) * np.pi / 2
            stereo[0, start:end] += wave[: end - start] * np.cos(angle)
            stereo[1, start:end] += wave[: end - start] * np.sin(angle)
    fade = min(samples, SAMPLE_RATE_HZ // 12)
    stereo[:, -fade:] *= np.linspace(1, 0, fade)
    return np.tanh(stereo).astype(np.float32)


def _bed(surroundings: Surroundings, samples: int, rng: np.random.Generator) -> Wave:
    place, weather = surroundings.place, surroundings.weather
    low, high, level = _BEDS[place]
    t = np.arange(samples) / SAMPLE_RATE_HZ
    bed = np.stack([_noise(samples, low, high, rng) for _ in range(2)]) * level
    if place == Place.BEACH:
        bed *= 0.35 + 0.65 * np.sin(np.pi * t / 3.4 + 0.4) ** 4
    elif place not in _STEADY:
        bed *= 0.7 + 0.3 * np.sin(t * 0.9 + rng.uniform(0, 6))
    if place in (Place.SPACE, Place.SKY):
        for frequency in (55.0, 82.5, 110.3, 165.2):
            bed += 0.012 * np.sin(2 * np.pi * frequency * t + np.array([[0.0], [0.7]]))
    if weather == Weather.RAIN:
        bed += np.stack([_noise(samples, 1200, 9000, rng) for _ in range(2)]) * 0.045
    if place in (Place.MEADOW, Place.FOREST) and weather == Weather.CLEAR:
        calls = _crickets if surroundings.light == Light.NIGHT else _birds
        bed += calls(samples, rng)
    if place == Place.UNDERWATER:
        bed += _bubbling(samples, rng)
    return bed


_BEDS = {
    Place.BEACH: (120, 2600, 0.16),
    Place.CITY: (40, 420, 0.10),
    Place.DESERT: (180, 900, 0.05),
    Place.FOREST: (300, 2200, 0.03),
    Place.MEADOW: (250, 1400, 0.03),
    Place.ROOM: (60, 300, 0.02),
    Place.SKY: (200, 1100, 0.06),
    Place.SNOW: (350, 1500, 0.05),
    Place.SPACE: (30, 140, 0.05),
    Place.STAGE: (200, 1800, 0.02),
    Place.UNDERWATER: (30, 260, 0.10),
}
"""The band of noise that fills a place, in Hz, and its level."""
_STEADY = (Place.CITY, Place.ROOM, Place.STAGE, Place.UNDERWATER)


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _tone(frequency: Wave | float, t: Wave) -> Wave:
    """A sine whose frequency may glide."""
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(frequency, t.shape)) / SAMPLE_RATE_HZ)


def _noise(samples: int, low: float, high: float, rng: np.random.Generator) -> Wave:
    """Noise between two frequencies, with soft edges, of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    spectrum /= np.sqrt((1 + (low / np.maximum(frequency, 1)) ** 4) * (1 + (frequency / high) ** 4))
    wave: Wave = np.fft.irfft(spectrum, samples)
    return wave / (float(np.sqrt(np.mean(wave**2))) + 1e-9)


def _hull(t: Wave, attack: float, decay: float) -> Wave:
    """Rise within `attack` seconds, then die away."""
    return np.minimum(1, t / attack) * np.exp(-t / decay)


def _ends(wave: Wave) -> Wave:
    """Smooth both ends of a sustained sound."""
    edge = min(len(wave) // 4, SAMPLE_RATE_HZ // 15)
    if edge:
        wave[:edge] *= np.linspace(0, 1, edge)
        wave[-edge:] *= np.linspace(1, 0, edge)
    return wave


def _scale(step: int, base: float = 392.0) -> float:
    """A note of the pentatonic scale: any two of them sound well together."""
    tune = (0, 2, 4, 7, 9, 7, 4, 12, 9, 4, 2, 7)
    return float(base * 2 ** (tune[step % len(tune)] / 12))


def _boing(_: Cue, __: float, ___: np.random.Generator) -> Wave:
    t = _time(0.5)
    wobble = 1 + 0.32 * np.sin(2 * np.pi * 17 * t) * np.exp(-t * 5)
    glide = 150 + 210 * np.exp(-t * 7)
    body = _tone(glide * wobble, t) + 0.35 * _tone(glide * wobble * 2, t)
    return 0.5 * body * _hull(t, 0.002, 0.13)


def _thud(_: Cue, __: float, rng: np.random.Generator) -> Wave:
    t = _time(0.4)
    click = _noise(len(t), 200, 1800, rng) * np.exp(-t / 0.018) * 0.22
    return _tone(48 + 70 * np.exp(-t * 26), t) * _hull(t, 0.002, 0.1) * 0.9 + click


def _spring(_: Cue, __: float, ___: np.random.Generator) -> Wave:
    t = _time(0.42)
    rising = 210 + 620 * (t / 0.42) ** 1.4
    return 0.3 * _tone(rising * (1 + 0.12 * np.sin(2 * np.pi * 26 * t)), t) * _hull(t, 0.004, 0.16)


def _step(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(0.12)
    pitch = 95 if cue.step % 2 else 110
    soft = _noise(len(t), 300, 2600, rng) * np.exp(-t / 0.02) * 0.14
    return _tone(pitch, t) * _hull(t, 0.002, 0.03) * 0.4 + soft


def _whoosh(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    swell = np.exp(-(((t - cue.seconds * 0.4) / (cue.seconds * 0.22)) ** 2))
    return _ends(_noise(len(t), 350, 2400, rng) * swell * 0.2)


def _bubbles(_: Cue, __: float, rng: np.random.Generator) -> Wave:
    wave = np.zeros(int(0.6 * SAMPLE_RATE_HZ))
    for _index in range(5):
        t = _time(0.07)
        blip = _tone(rng.uniform(380, 900) * (1 + t * 9), t) * np.sin(np.pi * t / 0.07) * 0.16
        start = int(rng.uniform(0, 0.5) * SAMPLE_RATE_HZ)
        wave[start : start + len(blip)] += blip
    return wave


def _engine(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    revs = 62 + 9 * np.sin(t * 1.7) + 3 * np.sin(t * 7.1)
    hum = sum(_tone(revs * harmonic, t) / harmonic for harmonic in (1, 2, 3, 5))
    return _ends(np.asarray(hum) * 0.07 + _noise(len(t), 80, 700, rng) * 0.025)


def _honk(_: Cue, __: float, ___: np.random.Generator) -> Wave:
    t = _time(0.34)
    beeps = np.abs(np.sin(2 * np.pi * t / 0.34)) ** 0.3  # Two of them.
    horn = np.tanh(2.5 * (_tone(415.0, t) + _tone(523.0, t))) * beeps
    return _ends(horn * 0.13)


def _hum(cue: Cue, pitch_hz: float, _: np.random.Generator) -> Wave:
    """A voice that hums at the height of its own pitch."""
    t = _time(cue.seconds)
    glide = pitch_hz * (1 + 0.02 * np.sin(2 * np.pi * 5.2 * t)) * (1 + 0.12 * np.sin(t * 5))
    voice = sum(
        _tone(glide * n, t) * weight for n, weight in ((1, 1), (2, 0.5), (3, 0.25), (4, 0.1))
    )
    return np.asarray(voice) * np.sin(np.pi * t / cue.seconds) ** 0.7 * 0.2


def _kick(_: Cue, __: float, ___: np.random.Generator) -> Wave:
    t = _time(0.25)
    return _tone(45 + 110 * np.exp(-t * 38), t) * _hull(t, 0.002, 0.08) * 0.7


def _hat(_: Cue, __: float, rng: np.random.Generator) -> Wave:
    t = _time(0.06)
    return _noise(len(t), 6000, 14000, rng) * np.exp(-t / 0.014) * 0.16


def _note(cue: Cue, _: float, __: np.random.Generator) -> Wave:
    t = _time(max(0.3, cue.seconds))
    pitch = _scale(cue.step)
    return (_tone(pitch, t) + 0.3 * _tone(pitch * 2, t)) * _hull(t, 0.004, 0.14) * 0.22


def _pop(cue: Cue, _: float, __: np.random.Generator) -> Wave:
    t = _time(0.16)
    pitch = 300 * 2 ** (cue.step / 6)
    return _tone(pitch * (1 + 2.2 * np.exp(-t * 50)), t) * _hull(t, 0.002, 0.04) * 0.5


def _rattle(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    beats = np.exp(-(t * 19 % 1) / 0.18)
    return _ends(_noise(len(t), 900, 4200, rng) * beats * np.sin(np.pi * t / cue.seconds) * 0.16)


def _rumble(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    return _ends(_noise(len(t), 50, 260, rng) * (0.7 + 0.3 * np.sin(t * 23)) * 0.16)


def _shimmer(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    wave = np.zeros(len(t))
    for index, start in enumerate(np.arange(0, cue.seconds, 0.37)):
        bell = _time(min(1.2, cue.seconds - float(start)))
        pitch = _scale(index * 5 + int(rng.integers(3)), 784.0)
        first = int(start * SAMPLE_RATE_HZ)
        length = min(len(bell), len(wave) - first)
        wave[first : first + length] += (_tone(pitch, bell) * _hull(bell, 0.03, 0.3))[
            :length
        ] * 0.06
    return wave


def _snore(cue: Cue, _: float, rng: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    flutter = 0.55 + 0.45 * np.sign(np.sin(2 * np.pi * 27 * t))
    return _ends(_noise(len(t), 120, 700, rng) * flutter * np.sin(np.pi * t / cue.seconds) * 0.12)


def _whirr(cue: Cue, _: float, __: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    swell = np.sin(np.pi * t / cue.seconds)
    return _ends(_tone(240 + 330 * swell, t) * swell * (0.8 + 0.2 * np.sin(t * 150)) * 0.15)


def _whistle(cue: Cue, _: float, __: np.random.Generator) -> Wave:
    t = _time(cue.seconds)
    return _ends(_tone(1500 - 950 * (t / max(cue.seconds, 0.1)), t) * 0.11)


def _birds(samples: int, rng: np.random.Generator) -> Wave:
    wave = np.zeros((2, samples))
    for _index in range(max(2, samples // SAMPLE_RATE_HZ)):
        t = _time(0.16)
        base = rng.uniform(2600, 4200)
        chirp = _tone(base * (1 + 0.18 * np.sin(2 * np.pi * 14 * t)), t) * np.sin(np.pi * t / 0.16)
        start, side = int(rng.random() * max(1, samples - len(t) * 2)), rng.random()
        for again in (0, int(0.19 * SAMPLE_RATE_HZ)):
            end = min(samples, start + again + len(t))
            part = chirp[: max(0, end - start - again)] * 0.03
            wave[0, start + again : end] += part * (1 - side)
            wave[1, start + again : end] += part * side
    return wave


def _crickets(samples: int, rng: np.random.Generator) -> Wave:
    t = np.arange(samples) / SAMPLE_RATE_HZ
    chirps = (np.sin(2 * np.pi * 24 * t) > 0) * (
        np.sin(2 * np.pi * 0.8 * t + rng.uniform(0, 6)) > 0
    )
    return np.stack([np.sin(2 * np.pi * f * t) for f in (4300, 4420)]) * chirps * 0.012


def _bubbling(samples: int, rng: np.random.Generator) -> Wave:
    wave = np.zeros((2, samples))
    for _index in range(max(1, samples // SAMPLE_RATE_HZ)):
        blips = _bubbles(Cue(Sound.BUBBLES, 0), 0.0, rng) * 0.3
        start = int(rng.random() * max(1, samples - len(blips)))
        end = min(samples, start + len(blips))
        wave[:, start:end] += blips[: end - start]
    return wave


_PLAYED: dict[Sound, Callable[[Cue, float, np.random.Generator], Wave]] = {
    Sound.BOING: _boing,
    Sound.BUBBLES: _bubbles,
    Sound.ENGINE: _engine,
    Sound.HAT: _hat,
    Sound.HONK: _honk,
    Sound.HUM: _hum,
    Sound.KICK: _kick,
    Sound.NOTE: _note,
    Sound.POP: _pop,
    Sound.RATTLE: _rattle,
    Sound.RUMBLE: _rumble,
    Sound.SHIMMER: _shimmer,
    Sound.SNORE: _snore,
    Sound.SPRING: _spring,
    Sound.STEP: _step,
    Sound.THUD: _thud,
    Sound.WHIRR: _whirr,
    Sound.WHISTLE: _whistle,
    Sound.WHOOSH: _whoosh,
}
