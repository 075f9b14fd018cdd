"""The places of the small model: nine painted backgrounds, some with something that drifts."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from myriorama.studio.emoji.scripts import FPS, FRAMES, GROUND, Script
from myriorama.studio.emoji.vocabulary import Place


def frames_of(script: Script, side_px: int) -> Tensor:
    """Return what is behind the actor: (FRAMES, 3, side_px, side_px) within [0, 1]."""
    still = _still(script.place, side_px).expand(FRAMES, -1, -1, -1)
    drift = _DRIFTS.get(script.place)
    if drift is None:
        return still
    veil = _veil(drift, script.phase, side_px)
    return still * (1 - veil) + drift.grey * veil


Colour = tuple[float, float, float]


class _Canvas:
    """Paints with soft edges, as if everything were drawn four times as large."""

    def __init__(self, side_px: int) -> None:
        axis = (torch.arange(side_px) + 0.5) / side_px * 2 - 1
        self.y, self.x = torch.meshgrid(axis, axis, indexing="ij")
        self._edge = side_px / 2
        self.image = torch.zeros(3, side_px, side_px)

    def sky(self, above: Colour, below: Colour) -> None:
        part = ((self.y + 1) / 2)[None]
        self.image = _colour(above) * (1 - part) + _colour(below) * part

    def fill(self, inside: Tensor, colour: Colour) -> None:
        """Paint where a signed distance is positive."""
        cover = (inside * self._edge + 0.5).clamp(0, 1)[None]
        self.image = self.image * (1 - cover) + _colour(colour) * cover

    def ground(self, colour: Colour, top: float = GROUND - 0.25) -> None:
        self.fill(self.y - top, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.fill(radius - ((self.x - x) ** 2 + (self.y - y) ** 2).sqrt(), colour)


def _colour(colour: Colour) -> Tensor:
    return torch.tensor(colour).view(3, 1, 1)


_WHITE: Colour = (1.0, 1.0, 1.0)


def _beach(canvas: _Canvas) -> None:
    canvas.sky((0.36, 0.72, 0.98), (0.8, 0.94, 1.0))
    canvas.disc(0.62, -0.62, 0.2, (1.0, 0.93, 0.5))
    canvas.fill(canvas.y - 0.1, (0.1, 0.5, 0.75))
    canvas.fill(canvas.y - 0.45 - 0.03 * torch.sin(canvas.x * 7), (0.94, 0.85, 0.6))


def _desert(canvas: _Canvas) -> None:
    canvas.sky((0.62, 0.2, 0.42), (1.0, 0.72, 0.3))
    canvas.disc(-0.5, 0.12, 0.26, (1.0, 0.88, 0.45))
    canvas.fill(canvas.y - 0.32 - 0.12 * torch.sin(canvas.x * 3 + 1), (0.85, 0.5, 0.25))
    canvas.fill(canvas.y - 0.52 - 0.06 * torch.sin(canvas.x * 4), (0.72, 0.4, 0.2))


def _meadow(canvas: _Canvas) -> None:
    canvas.sky((0.42, 0.74, 1.0), (0.82, 0.94, 1.0))
    canvas.disc(-0.55, -0.55, 0.16, _WHITE)
    canvas.disc(-0.38, -0.5, 0.13, _WHITE)
    canvas.fill(canvas.y - 0.3 - 0.1 * torch.sin(canvas.x * 3), (0.45, 0.78, 0.35))
    canvas.ground((0.3, 0.66, 0.25))


def _night(canvas: _Canvas) -> None:
    canvas.sky((0.03, 0.04, 0.2), (0.16, 0.17, 0.42))
    for x, y in ((-0.8, -0.8), (-0.35, -0.5), (-0.1, -0.85), (0.2, -0.6), (0.85, -0.2)):
        canvas.disc(x, y, 0.04, _WHITE)
    canvas.disc(0.58, -0.6, 0.2, (0.98, 0.96, 0.8))
    canvas.ground((0.07, 0.16, 0.13))


def _rain(canvas: _Canvas) -> None:
    canvas.sky((0.34, 0.38, 0.44), (0.56, 0.6, 0.64))
    canvas.ground((0.28, 0.33, 0.32))


def _snow(canvas: _Canvas) -> None:
    canvas.sky((0.58, 0.67, 0.8), (0.82, 0.88, 0.95))
    canvas.fill(canvas.y - 0.42 - 0.05 * torch.sin(canvas.x * 3), (0.97, 0.98, 1.0))


def _space(canvas: _Canvas) -> None:
    canvas.sky((0.01, 0.0, 0.04), (0.08, 0.02, 0.16))
    for x, y in ((-0.8, 0.6), (-0.3, -0.8), (0.1, 0.8), (0.35, -0.3), (0.85, 0.5), (-0.9, -0.1)):
        canvas.disc(x, y, 0.035, _WHITE)
    canvas.disc(0.6, -0.6, 0.26, (0.85, 0.5, 0.3))
    canvas.disc(-0.62, -0.5, 0.13, (0.35, 0.6, 0.75))


def _stage(canvas: _Canvas) -> None:
    canvas.sky((0.3, 0.08, 0.4), (0.5, 0.16, 0.58))
    canvas.fill(0.25 + 0.3 * (canvas.y + 1) / 2 - canvas.x.abs(), (0.72, 0.4, 0.78))
    canvas.ground((0.36, 0.2, 0.14), GROUND - 0.15)


def _underwater(canvas: _Canvas) -> None:
    canvas.sky((0.12, 0.6, 0.82), (0.02, 0.18, 0.44))
    canvas.fill(canvas.y - 0.62 - 0.05 * torch.sin(canvas.x * 4), (0.5, 0.5, 0.36))


_PAINTERS: dict[Place, Callable[[_Canvas], None]] = {
    Place.BEACH: _beach,
    Place.DESERT: _desert,
    Place.MEADOW: _meadow,
    Place.NIGHT: _night,
    Place.RAIN: _rain,
    Place.SNOW: _snow,
    Place.SPACE: _space,
    Place.STAGE: _stage,
    Place.UNDERWATER: _underwater,
}


@cache
def _still(place: Place, side_px: int) -> Tensor:
    canvas = _Canvas(side_px)
    _PAINTERS[place](canvas)
    return canvas.image.clamp(0, 1)


class _Drift:
    """Soft drops that go by: how fast, how large, how long, and in which shade of grey."""

    def __init__(self, speed: float, radius: float, stretch: float, grey: float) -> None:
        self.speed, self.radius, self.stretch, self.grey = speed, radius, stretch, grey


_DRIFTS = {
    Place.RAIN: _Drift(2.0, 0.025, 6.0, 0.85),
    Place.SNOW: _Drift(0.5, 0.055, 1.0, 1.0),
    Place.UNDERWATER: _Drift(-0.45, 0.06, 1.0, 0.85),
}
_DROPS = (
    (-0.85, 0.1),
    (-0.6, 0.65),
    (-0.3, 0.35),
    (0.0, 0.85),
    (0.3, 0.2),
    (0.6, 0.5),
    (0.85, 0.9),
)
"""Across the frame, and how far along its way each begins."""


def _veil(drift: _Drift, phase: float, side_px: int) -> Tensor:
    axis = (torch.arange(side_px) + 0.5) / side_px * 2 - 1
    time = torch.arange(FRAMES) / FPS
    veil = torch.zeros(FRAMES, 1, side_px, side_px)
    for x, start in _DROPS:
        y = ((start + phase) * 2.4 + drift.speed * time) % 2.4 - 1.2
        down = ((axis[None, :] - y[:, None]) / drift.stretch) ** 2
        along = (axis - x) ** 2
        away = down[:, None, :, None] + along[None, None, None, :]
        veil = torch.maximum(veil, torch.exp(-away / (2 * drift.radius**2)))
    return veil * 0.9
