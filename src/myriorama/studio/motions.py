"""How subjects move: for each motion a path over the frames, and the moments that make a sound.

Lengths are in units of the stage (`Stage.unit_px` in `procedural`), times in seconds, angles in
radians. Every contact with the ground falls exactly on a frame, so that its sound can too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.lexicon import Motion

Curve = NDArray[np.float64]


class Sound(StrEnum):
    """A sound that a motion makes. `effects` knows how each of them is played."""

    BOING = "boing"
    BUBBLES = "bubbles"
    ENGINE = "engine"
    HAT = "hat"
    HONK = "honk"
    HUM = "hum"
    KICK = "kick"
    NOTE = "note"
    POP = "pop"
    RATTLE = "rattle"
    RUMBLE = "rumble"
    SHIMMER = "shimmer"
    SNORE = "snore"
    SPRING = "spring"
    STEP = "step"
    THUD = "thud"
    WHIRR = "whirr"
    WHISTLE = "whistle"
    WHOOSH = "whoosh"


@dataclass(frozen=True)
class Cue:
    """A sound that starts with a frame. `seconds` is how long a sustained one lasts."""

    sound: Sound
    frame: int
    strength: float = 1.0
    seconds: float = 0.4
    step: int = 0


@dataclass(frozen=True)
class Path:
    """Where a subject is in each frame, each array of shape (frames,).

    `lift` is the height above the ground, `squash` how flat it is pressed (negative: stretched),
    `turn` is clockwise, `pace` how fast the world goes by, in units a second.
    """

    x: Curve
    lift: Curve
    turn: Curve
    scale: Curve
    squash: Curve
    cues: tuple[Cue, ...]
    pace: float = 0.0


class _Curves(TypedDict, total=False):
    x: Curve | float
    lift: Curve | float
    turn: Curve | float
    scale: Curve | float
    squash: Curve | float


class Clock:
    """The frames of a clip, as a motion sees them: `delay` frames late, so that twins differ."""

    def __init__(self, frames: int, fps: int, delay: int = 0) -> None:
        self.frames = frames
        self.fps = fps
        self.delay = delay
        self.frame = np.arange(frames, dtype=np.float64)
        self.t = (self.frame - delay) / fps

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def every(self, seconds: float, *, first: float = 0.0) -> range:
        """The frames at which something happens again and again."""
        period = max(1, round(seconds * self.fps))
        start = round(first * self.fps) + self.delay
        return range(start % period, self.frames, period)

    def phase(self, seconds: float, *, first: float = 0.0) -> Curve:
        """How far the motion is between two of the frames of `every`, in [0, 1)."""
        period = max(1, round(seconds * self.fps))
        start = round(first * self.fps) + self.delay
        return (self.frame - start) / period % 1.0

    def path(self, *cues: Cue, pace: float = 0.0, **curves: Unpack[_Curves]) -> Path:
        """Draw a path. A curve that is not given stays at rest."""
        rest = np.zeros(self.frames)
        return Path(
            x=curves.get("x", 0.0) + rest,
            lift=curves.get("lift", 0.0) + rest,
            turn=curves.get("turn", 0.0) + rest,
            scale=curves.get("scale", 1.0) + rest,
            squash=curves.get("squash", 0.0) + rest,
            cues=cues,
            pace=pace,
        )


def path_of(motion: Motion, clock: Clock) -> Path:
    """Move along a motion for the whole clip."""
    return _PATHS[motion](clock)


def _bounce(clock: Clock) -> Path:
    period, first = 0.92, 0.46
    phase = clock.phase(period, first=first)
    since_contact = np.minimum(phase, 1 - phase) * period
    pressed = np.exp(-((since_contact / 0.05) ** 2))
    stretched = 0.11 * np.abs(1 - 2 * phase) * (1 - pressed)
    contacts = clock.every(period, first=first)
    return clock.path(
        *(Cue(Sound.BOING, frame, step=index) for index, frame in enumerate(contacts)),
        lift=0.72 * 4 * phase * (1 - phase),
        squash=0.34 * pressed - stretched,
        turn=0.05 * np.sin(clock.t * 2.1),
    )


def _jump(clock: Clock) -> Path:
    period, crouch, air = 1.5, 0.3, 0.58
    frames = round(period * clock.fps)
    takeoff, landing = round(crouch * clock.fps), round((crouch + air) * clock.fps)
    inside = (clock.frame - clock.delay) % frames
    flight = np.clip((inside - takeoff) / (landing - takeoff), 0, 1)
    down = np.where(inside <= takeoff, 0.28 * np.sin(np.pi / 2 * inside / takeoff), 0.0)
    stretch = np.where((flight > 0) & (flight < 1), -0.14 * np.abs(1 - 2 * flight), 0.0)
    since = np.maximum(0, inside - landing) / clock.fps
    landed = np.where(inside >= landing, 0.3 * np.exp(-(since / 0.09)) * np.cos(since * 20), 0)
    cues = [Cue(Sound.SPRING, f) for f in clock.every(period, first=crouch)]
    cues += [Cue(Sound.THUD, f, 0.8) for f in range(landing + clock.delay, clock.frames, frames)]
    return clock.path(
        *cues,
        lift=0.8 * 4 * flight * (1 - flight),
        squash=down + stretch + landed,
        turn=0.1 * np.sin(2 * np.pi * flight),
    )


def _fall(clock: Clock) -> Path:
    contact = clock.delay + round(min(1.15, 0.5 * clock.seconds) * clock.fps)
    start = clock.delay + round(0.15 * clock.fps)
    dropping = np.clip((clock.frame - start) / max(1, contact - start), 0, 1)
    lift = 2.0 * (1 - dropping**2)
    squash = -0.16 * dropping * (clock.frame < contact)
    cues = [Cue(Sound.WHISTLE, start, seconds=(contact - start) / clock.fps)]
    for height, seconds, strength in ((0.22, 0.5, 1.0), (0.06, 0.28, 0.45), (0.0, 0.3, 0.2)):
        cues.append(Cue(Sound.THUD, contact, strength))
        since = (clock.frame - contact) / clock.fps
        hop = np.clip(since / seconds, 0, 1)
        lift = np.where(since >= 0, height * 4 * hop * (1 - hop), lift)
        pressed = 0.4 * strength * np.exp(-((np.maximum(0, since) / 0.08) ** 2))
        squash = np.where(since >= 0, pressed, squash)
        contact += round(seconds * clock.fps)
    return clock.path(
        *(cue for cue in cues if cue.frame < clock.frames),
        lift=lift,
        squash=squash,
        turn=0.35 * np.sin(clock.t * 5) * (1 - dropping),
    )


def _walk(clock: Clock) -> Path:
    return _gait(clock, period=0.46, height=0.05, lean=0.02, pace=0.5)


def _run(clock: Clock) -> Path:
    return _gait(clock, period=0.3, height=0.13, lean=0.1, pace=1.5)


def _gait(clock: Clock, *, period: float, height: float, lean: float, pace: float) -> Path:
    phase = clock.phase(period)
    side = np.where((clock.frame - clock.delay) // round(period * clock.fps) % 2 == 0, 1.0, -1.0)
    pressed = np.exp(-((np.minimum(phase, 1 - phase) * period / 0.05) ** 2))
    cues = (Cue(Sound.STEP, f, 0.7, step=i) for i, f in enumerate(clock.every(period)))
    return clock.path(
        *cues,
        lift=height * np.sin(np.pi * phase),
        turn=lean + 0.07 * side * np.sin(np.pi * phase),
        squash=0.09 * pressed,
        x=0.04 * np.sin(clock.t * 1.3),
        pace=pace,
    )


def _roll(clock: Clock) -> Path:
    pace, radius = 0.85, 0.23
    return clock.path(
        Cue(Sound.RUMBLE, 0, seconds=clock.seconds),
        turn=clock.t * pace / radius,
        lift=0.008 * np.abs(np.sin(clock.t * 13)),
        x=0.06 * np.sin(clock.t * 1.1),
        pace=pace,
    )


def _drive(clock: Clock) -> Path:
    bump = clock.phase(1.3, first=0.7)
    return clock.path(
        Cue(Sound.ENGINE, 0, seconds=clock.seconds),
        Cue(Sound.HONK, round(min(1.1, clock.seconds / 3) * clock.fps)),
        lift=0.006 * np.abs(np.sin(clock.t * 31)) + 0.05 * np.exp(-((bump - 0.1) ** 2) / 0.004),
        turn=0.02 * np.sin(clock.t * 9),
        x=0.12 * np.sin(clock.t * 0.9),
        pace=1.8,
    )


def _fly(clock: Clock) -> Path:
    swoops = clock.every(1.6, first=0.1)
    return clock.path(
        *(Cue(Sound.WHOOSH, frame, seconds=0.9) for frame in swoops),
        lift=0.62 + 0.14 * np.sin(clock.t * 2.2),
        turn=-0.16 * np.cos(clock.t * 2.2),
        x=0.14 * np.sin(clock.t * 1.1 - 0.6),
        squash=-0.03 * np.cos(clock.t * 4.4),
        pace=2.0,
    )


def _swim(clock: Clock) -> Path:
    return clock.path(
        *(Cue(Sound.BUBBLES, frame, 0.8) for frame in clock.every(0.9, first=0.2)),
        lift=0.5 + 0.1 * np.sin(clock.t * 1.9),
        turn=-0.13 * np.cos(clock.t * 1.9) + 0.04 * np.sin(clock.t * 9),
        x=0.12 * np.sin(clock.t * 0.8),
        squash=0.03 * np.sin(clock.t * 9),
        pace=0.8,
    )


def _float(clock: Clock) -> Path:
    return clock.path(
        Cue(Sound.SHIMMER, 0, 0.8, seconds=clock.seconds),
        lift=0.48 + 0.09 * np.sin(clock.t * 1.7),
        turn=0.09 * np.sin(clock.t * 1.2),
        x=0.07 * np.sin(clock.t * 0.9),
        squash=0.02 * np.sin(clock.t * 3.4),
        pace=0.12,
    )


def _spin(clock: Clock) -> Path:
    period = 1.2
    phase = clock.phase(period)
    eased = phase - np.sin(2 * np.pi * phase) / (2 * np.pi)
    return clock.path(
        *(Cue(Sound.WHIRR, frame, seconds=period * 0.8) for frame in clock.every(period)),
        turn=2 * np.pi * eased,
        lift=0.16 + 0.1 * np.sin(np.pi * phase),
    )


def _grow(clock: Clock) -> Path:
    return _swell(clock, 0.4, 1.5)


def _shrink(clock: Clock) -> Path:
    return _swell(clock, 1.4, 0.3)


def _swell(clock: Clock, first: float, last: float) -> Path:
    pops = 4
    scale = np.full(clock.frames, first)
    cues: list[Cue] = []
    for index in range(pops):
        frame = round((index + 0.6) * clock.frames / (pops + 0.4))
        since = np.maximum(0.0, (clock.frame - frame) / clock.fps)
        elastic = 1 - np.exp(-since * 9) * np.cos(since * 26)
        scale += (last - first) / pops * elastic
        cues.append(Cue(Sound.POP, frame, step=index if last > first else pops - index))
    return clock.path(*cues, scale=scale, turn=0.04 * np.sin(clock.t * 3))


def _shake(clock: Clock) -> Path:
    period = 1.3
    phase = clock.phase(period)
    shaken = 0.7  # The rest of each period is a pause.
    fit = np.clip(np.sin(np.pi * phase / shaken), 0, 1) * (phase < shaken)
    return clock.path(
        *(Cue(Sound.RATTLE, frame, seconds=0.9) for frame in clock.every(period)),
        x=0.035 * fit * np.sin(clock.t * 2 * np.pi * 10.3),
        turn=0.13 * fit * np.sin(clock.t * 2 * np.pi * 8.7),
        lift=0.02 * fit * np.abs(np.sin(clock.t * 40)),
    )


def _dance(clock: Clock) -> Path:
    beat = 0.5
    phase = clock.phase(beat)
    side = np.where((clock.frame - clock.delay) // round(beat * clock.fps) % 2 == 0, 1.0, -1.0)
    cues = [Cue(Sound.KICK, frame) for frame in clock.every(beat)]
    cues += [Cue(Sound.HAT, frame, 0.5) for frame in clock.every(beat, first=beat / 2)]
    cues += [Cue(Sound.NOTE, f, 0.6, step=i) for i, f in enumerate(clock.every(beat / 2))]
    return clock.path(
        *cues,
        lift=0.13 * np.sin(np.pi * phase),
        turn=0.2 * side * np.sin(np.pi * phase),
        x=0.09 * np.sin(np.pi * clock.t / beat / 2),
        squash=0.16 * np.exp(-((np.minimum(phase, 1 - phase) / 0.14) ** 2)) - 0.04,
    )


def _sing(clock: Clock) -> Path:
    beat = 0.42
    phase = clock.phase(beat)
    notes = enumerate(clock.every(beat))
    return clock.path(
        *(Cue(Sound.NOTE, frame, step=index * 2, seconds=beat) for index, frame in notes),
        squash=-0.1 * np.sin(np.pi * phase),
        turn=0.09 * np.sin(clock.t * 2 * np.pi / (beat * 4)),
    )


def _sleep(clock: Clock) -> Path:
    period = 2.0
    breath = np.sin(np.pi * clock.phase(period, first=0.2)) ** 2
    return clock.path(
        *(Cue(Sound.SNORE, frame, seconds=1.1) for frame in clock.every(period, first=0.2)),
        squash=0.05 - 0.09 * breath,
        turn=0.16,
    )


def _sway(clock: Clock) -> Path:
    return clock.path(
        *(Cue(Sound.POP, frame, 0.35, step=2) for frame in clock.every(1.9, first=0.4)),
        squash=0.035 * np.sin(clock.t * 3.3)
        - 0.1 * np.exp(-((clock.phase(1.9, first=0.4) - 0.08) ** 2) / 0.003),
        turn=0.07 * np.sin(clock.t * 1.65),
    )


_PATHS: dict[Motion, Callable[[Clock], Path]] = {
    Motion.BOUNCE: _bounce,
    Motion.DANCE: _dance,
    Motion.DRIVE: _drive,
    Motion.FALL: _fall,
    Motion.FLOAT: _float,
    Motion.FLY: _fly,
    Motion.GROW: _grow,
    Motion.JUMP: _jump,
    Motion.ROLL: _roll,
    Motion.RUN: _run,
    Motion.SHAKE: _shake,
    Motion.SHRINK: _shrink,
    Motion.SING: _sing,
    Motion.SLEEP: _sleep,
    Motion.SPIN: _spin,
    Motion.SWAY: _sway,
    Motion.SWIM: _swim,
    Motion.WALK: _walk,
}
