"""The picture behind the subjects: a sky, ridges and a ground that pass by at their own speeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from myriorama.studio import ridges, skies
from myriorama.studio.brush import Brush, Growth, Layer, rgb, rgba
from myriorama.studio.lexicon import Light, Place, Weather
from myriorama.studio.scenery import Ridge


@dataclass(frozen=True)
class Veil:
    """Rain, snow or bubbles: a picture twice as high as the frame, repeating at its middle.

    The speeds are frame heights and frame widths a second; a negative one rises.
    """

    image: Image.Image
    falls: float
    drifts: float


class Backdrop:
    """Paints one frame of the background, then what is in front of the subjects."""

    def __init__(
        self, behind: Sequence[Layer], before: Sequence[Layer], veils: Sequence[Veil]
    ) -> None:
        self._behind = behind
        self._before = before
        self._veils = veils

    def behind(self, canvas: Image.Image, passed_px: float) -> None:
        for layer in self._behind:
            _paste(canvas, layer, passed_px)

    def before(self, canvas: Image.Image, passed_px: float, seconds: float) -> None:
        for layer in self._before:
            _paste(canvas, layer, passed_px)
        width, height = canvas.size
        for veil in self._veils:
            y = -height + int(veil.falls * seconds * height) % height
            x = -(width // 8) + int(np.sin(seconds * 1.3) * veil.drifts * width)
            canvas.paste(veil.image, (x, y), veil.image)


def backdrop(brush: Brush) -> Backdrop:
    """Paint a place, from the sky to what is before the lens."""
    scenery = brush.scenery
    behind = [Layer(skies.sky(brush), 0, 0.0)]
    if scenery.clouds and brush.light != Light.NIGHT:
        behind.append(skies.clouds(brush, scenery.clouds))
    if scenery.ridge != Ridge.NONE:
        behind.append(ridges.ridge(brush, scenery.far, 0.16, scenery.distant, 0.55))
        behind.append(ridges.ridge(brush, scenery.mid, 0.38, scenery.distant, 1.0))
    behind.append(_ground(brush))
    before = [_vignette(brush)]
    if scenery.near:
        behind.append(_row(brush, scenery.near))
    if scenery.front:
        before.insert(0, _front(brush, scenery.front))
    return Backdrop(behind, before, _veils(brush))


def _paste(canvas: Image.Image, layer: Layer, passed_px: float) -> None:
    left = min(round(passed_px * layer.depth), layer.image.width - canvas.width)
    part = layer.image.crop((left, 0, left + canvas.width, layer.image.height))
    canvas.paste(part, (0, layer.top), part if part.mode == "RGBA" else None)


def _ground(brush: Brush) -> Layer:
    width, height = brush.wide(1.0), brush.height - brush.horizon
    far, near = (brush.colour(name) for name in brush.scenery.ground)
    down = np.linspace(0, 1, height)[:, None, None] ** 0.8
    image = rgb(np.repeat(far + (near - far) * down, width, axis=1).astype(np.float32))
    pen = ImageDraw.Draw(image, "RGBA")
    count = int(width * height / brush.unit**2 * 90)
    for _ in range(count):
        near_by = brush.rng.random()
        x, y = brush.rng.uniform(0, width), near_by**1.2 * height
        reach = brush.unit * (0.006 + 0.022 * near_by)
        shade = _SPECKS[int(brush.rng.integers(2))]
        pen.ellipse((x - reach, y - reach * 0.28, x + reach, y + reach * 0.28), shade)
    if brush.place == Place.CITY:
        pen.rectangle((0, 0, width, height * 0.12), (196, 200, 208, 150))
        for x in range(0, width, int(brush.unit * 0.42)):
            pen.rectangle(
                (x, height * 0.72, x + brush.unit * 0.2, height * 0.76), (250, 240, 200, 190)
            )
    if brush.place in (Place.STAGE, Place.ROOM):
        for x in range(-width, width * 2, int(brush.unit * 0.16)):
            pen.line((width / 2 + (x - width / 2) * 0.8, 0, x, height), (60, 25, 10, 70), 2)
    return Layer(image, brush.horizon, 1.0)


_SPECKS = ((255, 255, 255, 26), (0, 0, 0, 22))
"""What makes the ground rough enough to be seen passing by."""


def _row(brush: Brush, decor: Sequence[str]) -> Layer:
    """What stands at the far edge of the ground, in focus."""
    depth = 0.9
    width, height = brush.wide(depth), int(brush.unit * 0.68)
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    feet = np.full(width, brush.unit * 0.6)
    brush.scatter(image, decor, feet, Growth(size=0.36, density=1.8))
    return Layer(image, brush.horizon - int(brush.unit * 0.58), depth)


def _front(brush: Brush, decor: Sequence[str]) -> Layer:
    """Leaves and flowers before the lens: large, dark, and out of focus."""
    depth = 1.5
    width, height = brush.wide(depth), int(brush.unit * 0.5)
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    brush.scatter(image, decor, np.full(width, height * 1.3), Growth(size=0.6, density=0.9))
    red, green, blue, alpha = image.split()
    dark = [int(value * 0.62) for value in range(256)]
    dimmed = (channel.point(dark) for channel in (red, green, blue))
    blurred = Image.merge("RGBA", (*dimmed, alpha)).convert("RGBa")
    blurred = blurred.filter(ImageFilter.GaussianBlur(brush.unit / 70)).convert("RGBA")
    return Layer(blurred, brush.height - height, depth)


def _vignette(brush: Brush) -> Layer:
    rows = np.linspace(-1, 1, brush.height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, brush.width, dtype=np.float32)[None]
    dark = np.clip(rows**2 * 0.55 + columns**2 * 0.4 - 0.42, 0, 1) * 115
    pixels = np.zeros((brush.height, brush.width, 4), np.float32)
    pixels[..., 3] = dark
    return Layer(rgba(pixels), 0, 0.0)


def _veils(brush: Brush) -> list[Veil]:
    if brush.place == Place.UNDERWATER:
        return [Veil(_drops(brush, "bubble", 16), -0.22, 0.02)]
    if not brush.scenery.has_weather:
        return []
    if brush.weather == Weather.RAIN:
        return [Veil(_drops(brush, "rain", 150), 1.9, 0.0)]
    if brush.weather == Weather.SNOW or brush.place == Place.SNOW:
        return [
            Veil(_drops(brush, "flake", 70, 0.5), 0.14, 0.03),
            Veil(_drops(brush, "flake", 40, 1.0), 0.26, 0.05),
        ]
    return []


def _drops(brush: Brush, kind: str, count: int, size: float = 1.0) -> Image.Image:
    width, height = int(brush.width * 1.25), brush.height
    half = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    pen = ImageDraw.Draw(half)
    for _ in range(count):
        x, y = brush.rng.uniform(0, width), brush.rng.uniform(0, height)
        reach = brush.unit * size * brush.rng.uniform(0.005, 0.014)
        if kind == "rain":
            pen.line((x, y, x - reach, y + reach * 7), (225, 235, 255, 105), 2)
        elif kind == "bubble":
            box = (x - 2 * reach, y - 2 * reach, x + 2 * reach, y + 2 * reach)
            pen.ellipse(box, (255, 255, 255, 30), (255, 255, 255, 130), 2)
        else:
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), (255, 255, 255, 215))
    if kind == "flake":
        half = half.filter(ImageFilter.GaussianBlur(1.1))
    twice = Image.new("RGBA", (width, height * 2), (255, 255, 255, 0))
    twice.paste(half, (0, 0))
    twice.paste(half, (0, height))
    return twice
