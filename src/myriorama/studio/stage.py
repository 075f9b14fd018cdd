"""Puts subjects before a backdrop: poses, shadows, puffs of dust and notes, and the caption."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from myriorama.studio import sprites
from myriorama.studio.brush import unit_px
from myriorama.studio.motions import Path, Sound


@dataclass(frozen=True)
class Actor:
    """A sprite on its path. `middle` and `ground` are where it stands at rest, in pixels."""

    sprite: Image.Image
    path: Path
    middle: float
    ground: float
    enters_s: float = 0.0


class Stage:
    """Draws the actors of a clip, frame by frame."""

    def __init__(self, actors: Sequence[Actor], *, size: tuple[int, int], fps: int) -> None:
        self._actors = sorted(actors, key=lambda actor: actor.ground)
        self._fps = fps
        self._unit = unit_px(*size)
        self._shadow = _shadow()

    def draw(self, canvas: Image.Image, frame: int) -> None:
        for actor in self._actors:
            grown = self._entrance(actor, frame)
            if grown > 0:
                self._cast_shadow(canvas, actor, frame, grown)
                self._pose(canvas, actor, frame, grown)
        for actor in self._actors:
            self._sparks(canvas, actor, frame)

    def _entrance(self, actor: Actor, frame: int) -> float:
        """Pop in, a little too large at first; at once if the actor is there from the start."""
        if not actor.enters_s:
            return 1.0
        since = frame / self._fps - actor.enters_s
        return 0.0 if since <= 0 else float(1 - np.exp(-since * 8) * np.cos(since * 14))

    def _cast_shadow(self, canvas: Image.Image, actor: Actor, frame: int, grown: float) -> None:
        path = actor.path
        near = 1 / (1 + 2.2 * max(0.0, float(path.lift[frame])))
        width = actor.sprite.width * path.scale[frame] * grown
        width *= (0.95 + 0.35 * path.squash[frame]) * (0.55 + 0.45 * near)
        size = (max(2, int(width)), max(2, int(width * 0.2)))
        mask = self._shadow.resize(size).point([int(value * 0.62 * near) for value in range(256)])
        x = actor.middle + float(path.x[frame]) * self._unit - size[0] / 2
        canvas.paste((8, 12, 30), (int(x), int(actor.ground - size[1] * 0.55)), mask)

    def _pose(self, canvas: Image.Image, actor: Actor, frame: int, grown: float) -> None:
        """Squash and stretch from the feet, turn about the middle, and put in place."""
        path, sprite = actor.path, actor.sprite
        scale = float(path.scale[frame]) * grown
        squash = float(path.squash[frame])
        wide = sprite.width * scale * (1 + 0.7 * squash)
        high = sprite.height * scale * (1 - squash)
        turn = float(path.turn[frame])
        cos, sin = np.cos(turn), np.sin(turn)
        box_wide = int(np.ceil(wide * abs(cos) + high * abs(sin))) + 2
        box_high = int(np.ceil(wide * abs(sin) + high * abs(cos))) + 2
        middle_x = actor.middle + float(path.x[frame]) * self._unit
        middle_y = actor.ground - float(path.lift[frame]) * self._unit - high / 2
        left, top = int(middle_x - box_wide / 2), int(middle_y - box_high / 2)
        if top + box_high <= 0:
            return
        # From a pixel of the box back to one of the sprite.
        kx, ky = sprite.width / max(wide, 1e-3), sprite.height / max(high, 1e-3)
        dx, dy = middle_x - left, middle_y - top
        inverse = (
            cos * kx,
            sin * kx,
            sprite.width / 2 - (cos * dx + sin * dy) * kx,
            -sin * ky,
            cos * ky,
            sprite.height / 2 - (-sin * dx + cos * dy) * ky,
        )
        drawn = sprite.transform(
            (box_wide, box_high), Image.Transform.AFFINE, inverse, Image.Resampling.BICUBIC
        )
        canvas.paste(drawn, (left, top), drawn)

    def _sparks(self, canvas: Image.Image, actor: Actor, frame: int) -> None:
        """Show what is heard: dust where something lands, notes above a singer."""
        for cue in actor.path.cues:
            spark = _SPARKS.get(cue.sound)
            since = (frame - cue.frame) / self._fps
            if spark is None or not 0 <= since < spark.seconds:
                continue
            age = since / spark.seconds
            size = int(self._unit * spark.size * (0.6 + 0.4 * min(1.0, age * 4)))
            drawn = sprites.drawing(spark.drawing, max(8, size), shaded=False)
            faded = drawn.getchannel("A").point([int(v * (1 - age) ** 0.7) for v in range(256)])
            x = actor.middle + float(actor.path.x[cue.frame]) * self._unit
            for side in spark.sides:
                away = side * actor.sprite.width * (0.42 + 0.25 * age)
                wobble = 0.02 * np.sin(age * 6 + cue.frame) * self._unit
                y = actor.ground - spark.rises * age * self._unit
                y -= spark.starts * actor.sprite.height + actor.path.lift[frame] * spark.follows
                at = (int(x + away + wobble - drawn.width / 2), int(y - drawn.height * 0.75))
                canvas.paste(drawn, at, faded)


@dataclass(frozen=True)
class _Spark:
    drawing: str
    size: float
    seconds: float
    rises: float
    starts: float
    sides: tuple[float, ...]
    follows: float = 0.0


_SPARKS = {
    Sound.BOING: _Spark("2728", 0.1, 0.35, 0.05, 0.0, (-1.1, 1.1)),
    Sound.THUD: _Spark("1f4a8", 0.15, 0.5, 0.06, 0.0, (-1.0, 1.0)),
    Sound.STEP: _Spark("1f4a8", 0.08, 0.4, 0.05, 0.0, (-1.0,)),
    Sound.NOTE: _Spark("1f3b5", 0.1, 0.9, 0.35, 0.9, (0.9,)),
    Sound.SNORE: _Spark("1f4a4", 0.16, 1.6, 0.3, 0.85, (0.8,)),
    Sound.BUBBLES: _Spark("1fae7", 0.12, 1.1, 0.45, 1.6, (0.6,)),
    Sound.SHIMMER: _Spark("2728", 0.12, 1.0, 0.1, 1.9, (-0.8, 0.8)),
    Sound.WHIRR: _Spark("1f4ab", 0.13, 0.8, 0.1, 1.0, (-0.9, 0.9)),
    Sound.RATTLE: _Spark("1f4a2", 0.12, 0.7, 0.05, 0.9, (0.8,)),
}


def caption(text: str, size: tuple[int, int]) -> Image.Image:
    """Set a caption in white on a dark rounded plate, to be laid over the lower third."""
    width, height = size
    plate = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(plate)
    font = ImageFont.load_default(max(14, unit_px(width, height) // 14))
    lines = _wrapped(text, font, width * 0.8)
    block = "\n".join(lines)
    box = pen.multiline_textbbox(
        (width / 2, height * 0.9), block, font=font, anchor="md", align="center"
    )
    pad = font.getbbox("x")[3] * 0.6
    frame = (box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad)
    pen.rounded_rectangle(frame, pad, (12, 14, 28, 165))
    pen.multiline_text(
        (width / 2, height * 0.9), block, font=font, anchor="md", align="center", fill="white"
    )
    return plate


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float
) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _shadow() -> Image.Image:
    mask = Image.new("L", (256, 128), 0)
    ImageDraw.Draw(mask).ellipse((26, 22, 230, 106), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(11))
