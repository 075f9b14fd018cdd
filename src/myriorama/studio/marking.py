"""The visible mark: every frame says that it was generated, beyond the reach of a single crop."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

TEXT = "AI generated"


def burn_mark(frames: NDArray[np.uint8]) -> None:
    """Burn the mark into frames of shape (frames, height, width, 3), in place.

    The mark stands at the lower left in the first half and at the upper right in the second.
    """
    count, height, width = frames.shape[:3]
    stamp = _stamp(width, height)
    opaque = stamp[..., 3:].astype(np.uint16)
    ink = stamp[..., :3] * opaque
    high, wide = stamp.shape[:2]
    margin = max(2, min(width, height) // 32)
    corners = (
        (slice(0, count // 2), height - margin - high, margin),
        (slice(count // 2, count), margin, width - margin - wide),
    )
    for half, top, left in corners:
        area = frames[half, top : top + high, left : left + wide]
        area[:] = (area * (255 - opaque) + ink + 127) // 255


def _stamp(width: int, height: int) -> NDArray[np.uint8]:
    """The mark itself, (height, width, RGBA): white letters with a dark edge on a faint plate."""
    size = max(7, min(width, height) // 24)
    font = ImageFont.load_default(size)
    pad = max(1, size // 3)
    left, top, right, bottom = font.getbbox(TEXT)
    wide, high = int(right - left) + 2 * pad, int(bottom - top) + 2 * pad
    plate = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((0, 0, wide - 1, high - 1), pad, (0, 0, 0, 96))
    pen.text((pad - left, pad - top), TEXT, font=font, fill=(255, 255, 255, 225))
    return np.asarray(plate)[:, : max(1, width - 2)]
