"""Scripts: who does what where, frame by frame, and when that is heard.

Pictures and sound are both made from one script, so that they cannot disagree.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.emoji.vocabulary import ACTORS, Motion, Place

FRAMES = 17
FPS = 8
SECONDS = FRAMES / FPS
GROUND = 0.72
"""Where feet stand, in units of half a frame below its middle."""

Track = NDArray[np.floating]
"""One number for each frame."""


class Sound(StrEnum):
    """What is heard of a motion."""

    BOING = "boing"
    CHIME = "chime"
    DROP = "drop"
    RATTLE = "rattle"
    RISE = "rise"
    RUMBLE = "rumble"
    SINK = "sink"
    SPRING = "spring"
    THUD = "thud"
    WHIRR = "whirr"
    WHOOSH = "whoosh"


@dataclass(frozen=True)
class Event:
    """A sound that begins at a moment. `is_contact`: then the actor touches the ground."""

    sound: Sound
    at_s: float
    is_contact: bool = False


@dataclass(frozen=True)
class Moves:
    """Where an actor is in each frame: middle, half its size, turn in radians, and flattening."""

    x: Track
    y: Track
    size: Track
    turn: Track
    squash: Track
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Script:
    """One clip before it is drawn. `phase` says where what drifts in the background begins."""

    actor: str
    motion: Motion
    place: Place
    moves: Moves = field(repr=False)
    phase: float

    @property
    def contacts_s(self) -> tuple[float, ...]:
        return tuple(event.at_s for event in self.moves.events if event.is_contact)


def drawn_script(rng: Random) -> Script:
    """Draw a script by lot."""
    return script_of(
        rng.choice(list(ACTORS)), rng.choice(list(Motion)), rng.choice(list(Place)), rng
    )


def script_of(actor: str, motion: Motion, place: Place, rng: Random) -> Script:
    """Write a script for a given cast; what the caption leaves open is drawn by lot."""
    moves = _MOVES[motion](rng.uniform(0.44, 0.54), rng)
    return Script(actor, motion, place, moves, phase=rng.random())


_TIME = (np.arange(FRAMES) / FPS).astype(np.float32)
_PART = _TIME / _TIME[-1]
_REACH = 1.15
"""Where somebody who crosses the frame comes in and goes out."""


def _moves(  # noqa: PLR0913  # One argument for each track.
    size: float | Track,
    *,
    x: float | Track = 0.0,
    y: float | Track | None = None,
    turn: float | Track = 0.0,
    squash: float | Track = 0.0,
    events: tuple[Event, ...],
) -> Moves:
    def track(value: float | Track) -> Track:
        return np.broadcast_to(np.asarray(value, np.float32), (FRAMES,)).copy()

    stands = GROUND - track(size)
    return Moves(
        x=track(x),
        y=stands if y is None else track(y),
        size=track(size),
        turn=track(turn),
        squash=track(squash),
        events=events,
    )


def _bounce(size: float, rng: Random) -> Moves:
    period = rng.choice((5, 6, 8)) / FPS
    cycle = _TIME / period
    since = (cycle % 1) * period
    return _moves(
        size,
        x=rng.uniform(-0.25, 0.25),
        y=GROUND - size - 0.85 * np.abs(np.sin(math.pi * cycle)),
        squash=np.where(since < 1 / FPS, 0.22, 0.0).astype(np.float32),
        events=tuple(
            Event(Sound.BOING, count * period, is_contact=True)
            for count in range(1, int(_TIME[-1] / period) + 1)
        ),
    )


def _fall(size: float, rng: Random) -> Moves:
    lands = rng.randint(8, 12) / FPS
    top, stands = -1.2 - size, GROUND - size
    y = np.where(lands > _TIME, top + (stands - top) * (_TIME / lands) ** 2, stands)
    squash = np.where((lands <= _TIME) & (lands + 0.2 > _TIME), 0.25, 0.0)
    events = (Event(Sound.DROP, 0.0), Event(Sound.THUD, lands, is_contact=True))
    return _moves(
        size,
        x=rng.uniform(-0.3, 0.3),
        y=y.astype(np.float32),
        squash=squash.astype(np.float32),
        events=events,
    )


def _float(size: float, rng: Random) -> Moves:
    sway = 0.14 * np.sin(_TIME * 3.2 + rng.uniform(0, 6.28))
    return _moves(
        size,
        x=rng.uniform(-0.2, 0.2) + sway,
        y=GROUND - size - 1.05 * _PART,
        turn=sway * 0.8,
        events=(Event(Sound.CHIME, 0.0),),
    )


def _fly(size: float, rng: Random) -> Moves:
    return _moves(
        size * 0.9,
        x=-_REACH + 2 * _REACH * _PART,
        y=-0.35 + 0.12 * np.sin(_TIME * 4 + rng.uniform(0, 6.28)),
        turn=-0.15,
        events=(Event(Sound.WHOOSH, 0.0),),
    )


def _grow(size: float, _: Random) -> Moves:
    return _moves(size * (0.4 + 1.1 * _PART), y=0.1, events=(Event(Sound.RISE, 0.0),))


def _jump(size: float, rng: Random) -> Moves:
    off, lands = rng.randint(3, 5) / FPS, rng.randint(11, 13) / FPS
    flight = np.clip((_TIME - off) / (lands - off), 0, 1)
    crouched = np.where(off > _TIME, 0.3 * _TIME / off, 0.0)
    landed = np.where((lands <= _TIME) & (lands + 0.2 > _TIME), 0.2, 0.0)
    return _moves(
        size,
        x=rng.uniform(-0.25, 0.25),
        y=GROUND - size - 4 * 0.9 * flight * (1 - flight),
        squash=(crouched + landed).astype(np.float32),
        events=(Event(Sound.SPRING, off), Event(Sound.THUD, lands, is_contact=True)),
    )


def _roll(size: float, _: Random) -> Moves:
    x = -_REACH + 2 * _REACH * _PART
    return _moves(size * 0.9, x=x, turn=x / (size * 0.9), events=(Event(Sound.RUMBLE, 0.0),))


def _shake(size: float, rng: Random) -> Moves:
    wobble = np.where(np.arange(FRAMES) % 2 == 0, 1.0, -1.0)
    return _moves(
        size,
        x=rng.uniform(-0.25, 0.25) + 0.08 * wobble,
        turn=0.22 * wobble,
        events=(Event(Sound.RATTLE, 0.0),),
    )


def _shrink(size: float, _: Random) -> Moves:
    return _moves(size * (1.5 - 1.1 * _PART), y=0.1, events=(Event(Sound.SINK, 0.0),))


def _spin(size: float, rng: Random) -> Moves:
    return _moves(
        size, y=0.08, turn=_TIME * rng.choice((3.4, 4.4)), events=(Event(Sound.WHIRR, 0.0),)
    )


_MOVES: dict[Motion, Callable[[float, Random], Moves]] = {
    Motion.BOUNCE: _bounce,
    Motion.FALL: _fall,
    Motion.FLOAT: _float,
    Motion.FLY: _fly,
    Motion.GROW: _grow,
    Motion.JUMP: _jump,
    Motion.ROLL: _roll,
    Motion.SHAKE: _shake,
    Motion.SHRINK: _shrink,
    Motion.SPIN: _spin,
}
