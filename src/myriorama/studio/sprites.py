"""The drawings that act in a clip: emoji in vector form, cameos in a round frame, and plain shapes.

The emoji are Twemoji graphics (CC-BY 4.0, credited in NOTICE), shaded here.
"""

import colorsys
import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

from myriorama.studio import lexicon
from myriorama.studio.renderer import Likeness
from myriorama.studio.wording import Subject


@dataclass(frozen=True)
class Sprite:
    """An RGBA drawing, cropped to what is visible, so that its lower edge is where it stands."""

    image: Image.Image
    faces_left: bool


def sprite_of(subject: Subject, cameos: tuple[Likeness, ...], size_px: int) -> Sprite:
    """Draw a subject so that its longer side is about `size_px`."""
    if subject.cameo is not None:
        return Sprite(_portrait(cameos[subject.cameo].image, size_px), faces_left=False)
    if subject.drawing is None:
        return Sprite(_plain(subject.noun, subject.colour, size_px), faces_left=False)
    faces_left = subject.drawing in lexicon.FACING_LEFT
    return Sprite(drawing(subject.drawing, size_px, subject.colour), faces_left)


@lru_cache(maxsize=256)
def drawing(
    name: str, size_px: int, colour: str | None = None, *, shaded: bool = True
) -> Image.Image:
    """Rasterise one of `lexicon.DRAWINGS`, in its own colours or in one that is asked for."""
    svg = (lexicon.DRAWINGS / f"{name}.svg").read_text(encoding="utf-8")
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=size_px, height=size_px, skip_system_fonts=True
    )
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image = image.crop(image.getchannel("A").getbbox())
    if colour:
        image = _recoloured(image, colour)
    return _shaded(image) if shaded else image


def photograph(picture: bytes) -> Image.Image:
    """Open an inspected picture the right way up."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")


def _portrait(picture: bytes, size_px: int) -> Image.Image:
    """Cut the face out of a portrait, in a white ring. Faces stand a little above the middle."""
    face = ImageOps.fit(photograph(picture), (size_px, size_px), centering=(0.5, 0.35))
    side = size_px * 4
    disc = Image.new("L", (side, side), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    inner = Image.new("L", (side, side), 0)
    margin = side // 24
    ImageDraw.Draw(inner).ellipse((margin, margin, side - margin, side - margin), fill=255)
    ring = Image.new("RGBA", (size_px, size_px), (255, 255, 255, 255))
    ring.paste(face, (0, 0), inner.reduce(4))
    ring.putalpha(disc.reduce(4))
    return ring


def _plain(noun: str, colour: str | None, size_px: int) -> Image.Image:
    """A shape for a word that has no drawing: the word gives the colour, and is written on it."""
    seed = sum(ord(letter) * (place + 7) for place, letter in enumerate(noun))
    if colour is None:
        red, green, blue = colorsys.hls_to_rgb(seed % 360 / 360, 0.56, 0.68)
        colour = f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}"
    side = size_px * 2
    image = Image.new("RGBA", (side, side), (*ImageColor.getrgb(colour)[:3], 0))
    pen = ImageDraw.Draw(image)
    fill = (*ImageColor.getrgb(colour)[:3], 255)
    # A soft many-sided blob whose outline is the word's own.
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    lobes = 3 + seed % 5
    radius = side * (0.44 + 0.045 * np.sin(lobes * angles + seed))
    outline = np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None] + side / 2
    pen.polygon([(float(x), float(y)) for x, y in outline], fill=fill)
    shape = _shaded(image.reduce(2))
    pen = ImageDraw.Draw(shape)
    _eyes(pen, size_px)
    text = noun if len(noun) <= _WORD_LETTERS_MAX else noun[: _WORD_LETTERS_MAX - 1] + "…"
    font = ImageFont.load_default(size_px * 0.2)
    font = ImageFont.load_default(
        min(size_px * 0.2, size_px * 0.2 * size_px * 0.74 / max(1.0, font.getlength(text)))
    )
    pen.text(
        (size_px / 2, size_px * 0.64),
        text,
        font=font,
        anchor="mm",
        fill="white",
        stroke_width=max(1, size_px // 110),
        stroke_fill=(20, 20, 30),
    )
    return shape.crop(shape.getchannel("A").getbbox())


_WORD_LETTERS_MAX = 16


def _eyes(pen: ImageDraw.ImageDraw, size_px: int) -> None:
    for x in (0.38, 0.62):
        for radius, colour in ((0.075, "white"), (0.04, "#20202c")):
            middle, reach = (size_px * x, size_px * 0.4), size_px * radius
            box = (middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach)
            pen.ellipse(box, fill=colour)


def _recoloured(image: Image.Image, colour: str) -> Image.Image:
    """Dye what is coloured in a drawing; eyes, teeth and other greys keep their own colour."""
    pixels = _floats(image)
    rgb, alpha = pixels[..., :3], pixels[..., 3]
    grey = rgb @ np.array([0.3, 0.59, 0.11], np.float32)
    vivid = np.clip(((rgb.max(-1) - rgb.min(-1)) / (rgb.max(-1) + 1e-3) - 0.12) * 5, 0, 1)
    if (vivid * alpha).sum() < 0.25 * alpha.sum():
        vivid = np.clip((grey - 0.22) * 5, 0, 1)
    weight = vivid * alpha + 1e-6
    typical = float((grey * weight).sum() / weight.sum())
    dye = np.array(ImageColor.getrgb(colour)[:3], np.float32) / 255
    dyed = np.clip(dye * (0.35 + 0.65 * grey / max(typical, 0.05))[..., None], 0, 1)
    pixels[..., :3] = rgb + (dyed - rgb) * vivid[..., None]
    return _image(pixels)


def _shaded(image: Image.Image) -> Image.Image:
    """Give a flat drawing some body: light from above on the left, a darker rim below."""
    pixels = _floats(image)
    height, width = pixels.shape[:2]
    reach = max(2, width // 14)
    alpha = image.getchannel("A")
    padded = Image.new("L", (width + 4 * reach, height + 4 * reach), 0)
    padded.paste(alpha, (2 * reach, 2 * reach))
    soft = np.asarray(padded.filter(ImageFilter.GaussianBlur(reach)), np.float32) / 255
    lit = soft[3 * reach : 3 * reach + height, 3 * reach : 3 * reach + width]
    dark = soft[reach : reach + height, reach : reach + width]
    down = np.linspace(1.06, 0.9, height, dtype=np.float32)[:, None]
    body = down * (1 + 0.30 * (lit - dark))
    rgb = pixels[..., :3] * np.clip(body, 0.6, 1.25)[..., None]
    gloss = np.clip(lit - dark - 0.18, 0, 1)[..., None]
    pixels[..., :3] = np.clip(rgb + gloss * 0.25, 0, 1)
    return _image(pixels)


def _floats(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image, np.float32) / np.float32(255)


def _image(pixels: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((pixels * 255 + 0.5).astype(np.uint8), "RGBA")
