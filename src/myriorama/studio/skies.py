"""The sky of a place: its colours and lights, its clouds, and what hangs in it."""

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter

from myriorama.studio import sprites
from myriorama.studio.brush import Brush, Layer, Pixels, rgb, rgba
from myriorama.studio.lexicon import Light, Place, Weather


def sky(brush: Brush) -> Image.Image:
    """The farthest layer, as large as the frame: it never passes by."""
    top, low = (brush.colour(name) for name in brush.scenery.sky)
    if brush.scenery.has_weather and brush.light == Light.SUNSET:
        top, low = np.array((72, 52, 130), np.float32), np.array((255, 166, 92), np.float32)
    if brush.scenery.has_weather and brush.light == Light.NIGHT:
        top, low = np.array((8, 10, 38), np.float32), np.array((46, 52, 112), np.float32)
    reach = brush.height if brush.place in _DEEP else brush.horizon * 1.05
    down = np.clip(np.arange(brush.height, dtype=np.float32) / reach, 0, 1)[:, None, None]
    sky = np.repeat(top + (low - top) * down ** np.float32(1.2), brush.width, axis=1)
    sky = sky.astype(np.float32)
    _lamp(brush, sky)
    image = rgb(sky)
    if brush.place == Place.ROOM:
        _wall(brush, image)
    if brush.place == Place.STAGE:
        _spotlights(brush, image)
    if brush.place == Place.SPACE:
        for name, size, x, y in (("1f30d", 0.34, 0.7, 0.12), ("1fa90", 0.2, 0.16, 0.3)):
            world = sprites.drawing(name, int(brush.unit * size))
            image.paste(
                world, (int(x * brush.width) - world.width // 2, int(y * brush.height)), world
            )
    return image


def clouds(brush: Brush, amount: float) -> Layer:
    """Heaps of cloud; an `amount` of 1 is about five of them in view."""
    depth, height = 0.07, int(brush.horizon * 0.75)
    width = brush.wide(depth)
    mask = Image.new("L", (width // 2, height // 2), 0)
    pen = ImageDraw.Draw(mask)
    for _ in range(round(amount * 5 * width / brush.width)):
        x, y = brush.rng.uniform(0, width / 2), brush.rng.uniform(0.1, 0.85) * height / 2
        size = brush.unit * brush.rng.uniform(0.05, 0.1)
        for _ in range(9):
            dx, dy = brush.rng.normal(0, size * 0.9), -abs(brush.rng.normal(0, size * 0.25))
            radius = size * brush.rng.uniform(0.25, 0.5)
            pen.ellipse((x + dx - radius, y + dy - radius, x + dx + radius, y + dy + radius), 235)
    mask = mask.filter(ImageFilter.GaussianBlur(brush.unit / 130)).resize((width, height))
    white = np.array((255, 255, 255), np.float32)
    if brush.light == Light.SUNSET:
        white = np.array((255, 190, 170), np.float32)
    if brush.weather != Weather.CLEAR:
        white = np.array((200, 206, 216), np.float32)
    shade = np.linspace(1.0, 0.93, height, dtype=np.float32)[:, None, None]
    pixels = np.empty((height, width, 4), np.float32)
    pixels[..., :3] = white * shade
    pixels[..., 3] = np.asarray(mask, np.float32) * 0.9
    return Layer(rgba(pixels), 0, depth)


def _lamp(brush: Brush, sky: Pixels) -> None:
    """Add what shines: the sun, the moon and stars, or light from above the water."""
    rows, columns = np.mgrid[0 : brush.height, 0 : brush.width].astype(np.float32)
    is_dark = brush.place == Place.SPACE or (
        brush.scenery.has_weather and brush.light == Light.NIGHT
    )
    if is_dark:
        _stars(brush, sky)
    if brush.place == Place.UNDERWATER:
        slant = columns / brush.width + rows / brush.height * 0.35
        rays = np.clip(np.sin(slant * 17) * np.sin(slant * 7.3 + 1), 0, 1)
        fade = np.clip(1 - rows / brush.height * 1.2, 0, 1)
        sky += (rays * fade * 70)[..., None]
        return
    if not brush.scenery.has_weather and not is_dark:
        return
    x, y = brush.width * brush.rng.uniform(0.18, 0.82), brush.height * brush.rng.uniform(0.1, 0.2)
    if brush.light == Light.SUNSET and not is_dark:
        x, y = brush.width * brush.rng.uniform(0.3, 0.7), brush.horizon * 0.6
    radius = brush.unit * (0.1 if is_dark else 0.085)
    distance = np.hypot(columns - x, rows - y)
    disc = np.clip(radius - distance + 0.5, 0, 1)[..., None]
    glow = np.exp(-distance / (radius * (1.6 if is_dark else 3.2)))[..., None]
    tint = np.array((190, 205, 255) if is_dark else (255, 240, 190), np.float32)
    if brush.weather != Weather.CLEAR or brush.place == Place.SPACE:
        disc, glow = disc * 0, glow * 0.3
    sky += (tint - sky) * glow * (0.45 if is_dark else 0.75)
    shine = np.array((244, 244, 232) if is_dark else (255, 250, 224), np.float32)
    sky += (shine - sky) * disc


def _stars(brush: Brush, sky: Pixels) -> None:
    if brush.place == Place.SPACE:
        cloud = _noise(brush, 5)
        sky += cloud[..., None] * np.array((90, 24, 110), np.float32)
        sky += _noise(brush, 4)[..., None] * np.array((10, 50, 90), np.float32)
    count = brush.width * brush.height // 1500
    x = brush.rng.integers(1, brush.width - 1, count)
    y = (brush.rng.random(count) ** 1.3 * (brush.horizon - 2)).astype(int) + 1
    power = brush.rng.random(count).astype(np.float32)[:, None] ** 3
    np.add.at(sky, (y, x), 40 + 200 * power)
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        np.add.at(sky, (y + dy, x + dx), 110 * power**2)


def _noise(brush: Brush, cells: int) -> Pixels:
    """Soft random clouds in [0, 1]."""
    coarse = Image.fromarray((brush.rng.random((cells, cells)) * 255).astype(np.uint8))
    fine = Image.fromarray((brush.rng.random((cells * 3, cells * 3)) * 255).astype(np.uint8))
    size = (brush.width, brush.height)
    blend = sum(
        np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float32) / 255 * weight
        for image, weight in ((coarse, 0.7), (fine, 0.3))
    )
    field: Pixels = np.asarray(blend, np.float32) * np.float32(1.7) - np.float32(0.55)
    return field.clip(0, 1)


def _wall(brush: Brush, image: Image.Image) -> None:
    pen = ImageDraw.Draw(image, "RGBA")
    for x in range(0, brush.width, int(brush.unit * 0.11)):
        pen.rectangle((x, 0, x + brush.unit * 0.05, brush.horizon), (255, 255, 255, 34))
    left, top, side = brush.width * 0.28, brush.horizon * 0.2, brush.unit * 0.42
    pane = _NIGHT_PANE if brush.light == Light.NIGHT else _DAY_PANE
    pen.rounded_rectangle((left, top, left + side, top + side), brush.unit * 0.02, pane)
    pen.line((left + side / 2, top, left + side / 2, top + side), "white", 6)
    pen.line((left, top + side / 2, left + side, top + side / 2), "white", 6)
    pen.rounded_rectangle(
        (left, top, left + side, top + side), brush.unit * 0.02, outline="white", width=9
    )
    pen.rectangle((0, brush.horizon - brush.unit * 0.05, brush.width, brush.horizon), "#fff4e6")


def _spotlights(brush: Brush, image: Image.Image) -> None:
    cones = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(cones, "RGBA")
    for source, colour in ((0.12, "#ff5fa2"), (0.5, "#fff1b8"), (0.88, "#58d4ff")):
        x = source * brush.width
        aim = brush.width * (0.5 + (0.5 - source) * 0.15)
        red, green, blue = ImageColor.getrgb(colour)[:3]
        reach = brush.unit * 0.34
        pen.polygon(
            [(x, -10), (aim - reach, brush.height), (aim + reach, brush.height)],
            (red, green, blue, 84),
        )
    cones = cones.filter(ImageFilter.GaussianBlur(brush.unit / 40))
    image.paste(cones, (0, 0), cones)


_DEEP = (Place.UNDERWATER, Place.SPACE, Place.STAGE)
"""Where the colours of the sky go down to the ground."""
_DAY_PANE, _NIGHT_PANE = "#9fdcff", "#1d2452"
