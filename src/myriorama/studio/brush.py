"""What every painter of a background works with: the place in its light, its measures, its dice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from myriorama.studio import sprites
from myriorama.studio.lexicon import Light, Weather
from myriorama.studio.scenery import SCENERY, Surroundings

Pixels = NDArray[np.float32]

HORIZON = 0.66
"""How far down the picture the ground begins, and below it where subjects stand."""
STANDING = 0.80


@dataclass(frozen=True)
class Layer:
    """A picture that is wider than the frame. Depth 1 passes by as fast as the ground."""

    image: Image.Image
    top: int
    depth: float


@dataclass(frozen=True)
class Growth:
    """How large things stand on a line, how many to a unit of it, and how far they fade."""

    size: float
    density: float
    haze: float = 0.0


class Brush:
    """A place by the light of the hour, as large as the frame and as long as the way."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        size: tuple[int, int],
        pass_px: float,
        seed: int,
    ) -> None:
        self.place, self.light = surroundings.place, surroundings.light
        self.weather = surroundings.weather
        self.scenery = SCENERY[surroundings.place]
        self.width, self.height = size
        self.horizon = int(self.height * HORIZON)
        self.unit = unit_px(self.width, self.height)
        self.rng = np.random.default_rng(seed)
        self._pass_px = pass_px

    def wide(self, depth: float) -> int:
        """How wide a layer must be to last until the end of the clip."""
        return self.width + int(np.ceil(self._pass_px * depth)) + 1

    def colour(self, name: str) -> Pixels:
        """A colour of the place in the light of the hour."""
        colour = np.array(ImageColor.getrgb(name)[:3], np.float32)
        if not self.scenery.has_weather:
            return colour
        if self.light == Light.NIGHT:
            colour = colour * 0.30 + np.array((14, 18, 52), np.float32) * 0.55
        elif self.light == Light.SUNSET:
            colour = colour * 0.72 * np.array((1.0, 0.86, 0.86), np.float32) + np.array(
                (70, 26, 24), np.float32
            )
        if self.weather != Weather.CLEAR:
            colour = colour * 0.72 + colour.mean() * 0.22
        return np.clip(colour, 0, 255)

    def scatter(
        self,
        image: Image.Image,
        decor: Sequence[str],
        feet: NDArray[np.float64],
        growth: Growth,
    ) -> None:
        """Let drawings stand on a line, smaller ones and larger ones, in the light of the hour."""
        count = max(1, round(image.width / self.unit * growth.density))
        for place in np.sort(self.rng.random(count)):
            name = decor[int(self.rng.integers(len(decor)))]
            grown = growth.size * _STATURE.get(name, 1.0) * self.rng.uniform(0.8, 1.2)
            drawn = self._lit(
                sprites.drawing(name, max(8, int(self.unit * grown / 6) * 6)), growth.haze
            )
            x = int(place * image.width)
            y = int(feet[min(x, len(feet) - 1)]) - drawn.height + max(2, drawn.height // 30)
            image.alpha_composite(drawn, (x, max(0, y)), (0, max(0, -y)))

    def _lit(self, drawn: Image.Image, haze: float) -> Image.Image:
        pixels = np.asarray(drawn, np.float32).copy()
        factor = (self.colour("#ffffff") / 255).clip(0.3, 1.0)
        pixels[..., :3] *= factor
        if haze > 0:
            low = self.colour(self.scenery.sky[1])
            pixels[..., :3] += (low - pixels[..., :3]) * haze
        return rgba(pixels)


def unit_px(width: int, height: int) -> int:
    """The length by which everything on the stage is measured."""
    return int(min(width, height * 0.65))


def rgb(pixels: Pixels) -> Image.Image:
    """Round and clip to a picture."""
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8), "RGB")


def rgba(pixels: Pixels) -> Image.Image:
    """Round and clip to a picture."""
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8), "RGBA")


_STATURE = {
    "1f33c": 0.35, "1f337": 0.38, "1f33b": 0.55, "1f344": 0.35, "1f41a": 0.25, "1faa8": 0.4,
    "26c4": 0.7, "1f333": 1.2, "1f332": 1.25, "1f334": 1.5, "1f33f": 0.6, "26f1": 0.8,
    "1f3ea": 1.2, "1f6a6": 0.8, "1f6cb": 1.2, "1fab4": 0.9, "1fab8": 0.7,
}  # fmt: skip
"""How tall a drawing stands beside the others."""
