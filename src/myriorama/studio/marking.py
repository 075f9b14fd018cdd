"""The visible mark: every frame says that it was generated, beyond the reach of a single crop.

It stands at the lower left in the first half and at the upper right in the second. Read again by
the gate of publication, which looks for it where it must stand.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

TEXT = "AI generated"
SEEN_MIN = 0.5
"""How much a corner must resemble the mark; a marked one does by 0.8, any other by 0.3 at most."""


def burn_mark(frames: NDArray[np.uint8]) -> None:
    """Burn the mark into frames of shape (frames, height, width, 3), in place."""
    count, height, width = frames.shape[:3]
    stamp = _stamp(width, height)
    opaque = stamp[..., 3:].astype(np.uint16)
    ink = stamp[..., :3] * opaque
    halves = (slice(0, count // 2), slice(count // 2, count))
    for half, corner in zip(halves, _corners(width, height), strict=True):
        area = frames[half][(slice(None), *corner)]
        area[:] = (area * (255 - opaque) + ink + 127) // 255


class MarkReader:
    """Looks for the mark in frames that are offered one by one, in order."""

    def __init__(self) -> None:
        self._corners: list[NDArray[np.uint8]] = []
        self._size = (0, 0)

    def offer(self, luma: NDArray[np.uint8]) -> None:
        """Look at a frame without colour, (height, width), as large as the others."""
        height, width = luma.shape
        self._size = (width, height)
        lower, upper = _corners(width, height)
        self._corners.append(np.stack([luma[lower], luma[upper]]))

    @property
    def resemblance(self) -> float:
        """How much the corners resemble the mark, each while it should stand there: -1 to 1."""
        count = len(self._corners)
        if count < _FRAMES_MIN:
            return 0.0
        wanted = _letters(*self._size)
        halves = (self._corners[: count // 2], self._corners[count // 2 :])
        return min(
            _correlation(np.mean([pair[corner] for pair in half], 0), wanted)
            for corner, half in enumerate(halves)
        )


_FRAMES_MIN = 2


def _corners(width: int, height: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the mark stands first, and where then: rows and columns."""
    high, wide = _stamp(width, height).shape[:2]
    margin = max(2, min(width, height) // 32)
    return (
        (slice(height - margin - high, height - margin), slice(margin, margin + wide)),
        (slice(margin, margin + high), slice(width - margin - wide, width - margin)),
    )


def _correlation(seen: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    if seen.shape != wanted.shape:
        return 0.0  # the frame is smaller than the mark
    seen = seen - seen.mean()
    norm = float(np.sqrt(np.square(seen).sum() * np.square(wanted).sum()))
    return float((seen * wanted).sum()) / norm if norm > 0 else 0.0


def _letters(width: int, height: int) -> NDArray[np.float64]:
    """What of the mark is light and what dark, whatever is behind it; its mean is 0."""
    light = _stamp(width, height)[..., 0].astype(np.float64) / 255
    balanced: NDArray[np.float64] = light - light.mean()
    return balanced


@lru_cache(maxsize=8)
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
