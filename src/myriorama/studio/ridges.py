"""The ridges behind the ground: hills, peaks, dunes, towers, the sea or a curtain."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from myriorama.studio.brush import Brush, Growth, Layer, rgba
from myriorama.studio.lexicon import Light
from myriorama.studio.scenery import Ridge


def ridge(brush: Brush, name: str, depth: float, decor: Sequence[str], size: float) -> Layer:
    """One ridge, with what stands on it. The nearer it is, the faster it passes by."""
    width, ridge = brush.wide(depth), brush.scenery.ridge
    outline = _OUTLINES[ridge](np.arange(width) / brush.unit, brush.rng)
    swell = 1.25 - depth
    tops = brush.horizon - outline * brush.unit * swell
    top = max(0, int(tops.min()) - int(brush.unit * 0.3))
    height = brush.horizon + 4 - top
    rows = np.arange(height, dtype=np.float32)[:, None] + top
    colour, sky_low = brush.colour(name), brush.colour(brush.scenery.sky[1])
    down = np.clip((rows - tops) / (brush.unit * 0.5), 0, 1)[..., None]
    pixels = np.empty((height, width, 4), np.float32)
    pixels[..., :3] = colour * 1.06 + (colour * 0.55 + sky_low * 0.45 - colour) * down
    if ridge == Ridge.PEAKS:
        cap = np.clip((0.17 - (rows - tops) / brush.unit + 0.012 * np.sin(tops / 9)) * 14, 0, 1)
        pixels[..., :3] += (brush.colour("#ffffff") - pixels[..., :3]) * cap[..., None]
    if ridge == Ridge.FOLDS:
        folds = 1 + 0.22 * np.sin(np.arange(width) / brush.unit * 46)[None, :, None]
        pixels[..., :3] *= folds
    if ridge == Ridge.SEA:
        glitter = np.sin(rows * 1.7) * np.sin(np.arange(width) / 23 + rows * 0.9) > _GLITTER
        pixels[..., :3] += glitter[..., None] * 28
    pixels[..., 3] = np.clip(rows - tops + 0.5, 0, 1) * 255
    image = rgba(pixels)
    if ridge == Ridge.TOWERS:
        _windows(brush, image, tops - top)
    if decor:
        growth = Growth(size=0.16 * size, density=3.2 / size, haze=0.45 - depth)
        brush.scatter(image, decor, tops - top, growth)
    return Layer(image, top, depth)


def _windows(brush: Brush, image: Image.Image, tops: NDArray[np.float64]) -> None:
    pen = ImageDraw.Draw(image, "RGBA")
    cell = max(6, int(brush.unit * 0.038))
    lit = (255, 214, 120, 230) if brush.light != Light.DAY else (225, 240, 255, 110)
    for x in range(cell, image.width - cell, cell):
        for y in range(cell, image.height, int(cell * 1.3)):
            if y - cell > tops[x : x + cell // 2].max() and brush.rng.integers(2):
                pen.rectangle((x, y, x + cell * 0.45, y + cell * 0.6), lit)


def _hills(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    shift = rng.uniform(0, 9, 3)
    waves = ((0.14, 2.1), (0.07, 4.7), (0.02, 11.0))
    curves = [a * np.sin(x * f + s) for (a, f), s in zip(waves, shift, strict=True)]
    return np.asarray(0.2 + np.sum(curves, axis=0))


def _dunes(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    shift = rng.uniform(0, 9)
    return 0.16 + 0.1 * np.abs(np.sin(x * 1.6 + shift)) + 0.05 * np.sin(x * 3.1 + shift)


def _peaks(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    corners = np.arange(0, x.max() + 1.2, 0.28)
    heights = rng.uniform(0.1, 0.75, len(corners))
    heights[::2] *= 0.35
    rough = 0.012 * np.sin(x * 61) + 0.016 * np.sin(x * 37)
    return np.interp(x + 0.2, corners, heights) + rough


def _towers(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    steps: NDArray[np.float64] = rng.uniform(0.22, 0.95, int(x.max() / 0.17) + 2)
    return np.take(steps, (x / 0.17).astype(int))


def _puffs(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    shift = rng.uniform(0, 9)
    return 0.12 + 0.14 * np.abs(np.sin(x * 4.3 + shift)) + 0.06 * np.abs(np.sin(x * 9.1 + shift))


def _level(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.full(len(x), 0.2) + rng.uniform(0, 0.001)


def _curtain(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return 0.34 + 0.05 * np.abs(np.sin(x * 5.2 + rng.uniform(0, 3)))


_GLITTER = 0.82
"""How rare a sparkle on the sea is."""
_OUTLINES = {
    Ridge.FOLDS: _curtain,
    Ridge.DUNES: _dunes,
    Ridge.HILLS: _hills,
    Ridge.PEAKS: _peaks,
    Ridge.PUFFS: _puffs,
    Ridge.SEA: _level,
    Ridge.TOWERS: _towers,
}
