"""Flashes that can bring on a seizure, as WCAG 2.3.1 has them: general flashes, and red ones.

A flash is a pair of opposing changes. A general one changes relative luminance by a tenth, its
darker picture below 0.8; a red one goes to or from a saturated red. They count where more than a
given share of the picture changes at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cells = NDArray[np.bool_]

_LUMINANCE_OF = np.array([0.2126, 0.7152, 0.0722], np.float32)
_REDNESS_OF = np.array([1, -1, -1], np.float32)
_LINEAR_BELOW = 0.04045
_LUMINANCE_STEP = 0.1
_DARKER_BELOW = 0.8
_RED_STEP = 20 / 320
_RED_SHARE = 0.8
# A change that sweeps over the picture is at once if it takes no more frames than this.
_AT_ONCE_FRAMES = 2


@dataclass(frozen=True)
class Flashes:
    """The most flashes of either kind within any second. Half a flash is one change more."""

    general: float
    red: float


def flashes(small: Floats, fps: int, *, area: float) -> Flashes:
    """Count the flashes of a clip that reach over more than a share of the picture.

    `small` has the colours of its cells, 0 to 255: (frames, rows, columns, 3).
    """
    general = _Watch(_LUMINANCE_STEP, _DARKER_BELOW, area)
    red = _Watch(_RED_STEP, np.inf, area)
    for frame, colours in enumerate(small):
        linear = _linear(colours)
        luminance = linear @ _LUMINANCE_OF
        general.see(frame, luminance, np.ones(luminance.shape, np.bool_))
        redness = np.maximum(linear @ _REDNESS_OF, np.float32(0))
        total = linear.sum(axis=-1)
        red.see(frame, redness, (linear[..., 0] >= _RED_SHARE * total) & (total > 0))
    return Flashes(general=_most(general.changes, fps), red=_most(red.changes, fps))


def _linear(colours: Floats) -> Floats:
    """Take the gamma of sRGB off."""
    shares = colours / np.float32(255)
    curved = ((shares + 0.055) / 1.055) ** 2.4
    return np.where(shares <= _LINEAR_BELOW, shares / 12.92, curved).astype(np.float32)


class _Watch:
    """Watches one quantity of all cells for changes: up (1) and down (-1), in turn.

    A cell changes when its value has gone a step from the furthest that it was since its last
    change, and is of the kind at either end. The picture changes when enough of its cells do.
    """

    def __init__(self, step: float, darker_below: float, area: float) -> None:
        self.changes: list[tuple[int, int]] = []
        self._step = step
        self._darker_below = darker_below
        self._area = area
        self._recent: dict[int, list[Cells]] = {1: [], -1: []}
        self._low: tuple[Floats, Cells] | None = None
        self._high: tuple[Floats, Cells] | None = None

    def see(self, frame: int, value: Floats, counts: Cells) -> None:
        """Take the next frame in; `counts` are the cells that are of the kind."""
        if self._low is None or self._high is None:
            self._low = self._high = (value, counts)
            return
        (low, low_counts), (high, high_counts) = self._low, self._high
        rises = (value - low >= self._step) & (low < self._darker_below)
        falls = (high - value >= self._step) & (value < self._darker_below)
        self._note(frame, 1, rises & (low_counts | counts))
        self._note(frame, -1, falls & (high_counts | counts))
        turned = rises | falls
        self._low = _kept((value < low) | turned, (value, counts), self._low)
        self._high = _kept((value > high) | turned, (value, counts), self._high)

    def _note(self, frame: int, direction: int, moved: Cells) -> None:
        recent = self._recent[direction] = [*self._recent[direction][1 - _AT_ONCE_FRAMES :], moved]
        share = float(np.logical_or.reduce(recent).mean())
        if share > self._area and (not self.changes or self.changes[-1][1] != direction):
            self.changes.append((frame, direction))
            self._recent[-direction].clear()


def _kept(
    new: Cells, now: tuple[Floats, Cells], before: tuple[Floats, Cells]
) -> tuple[Floats, Cells]:
    return np.where(new, now[0], before[0]), np.where(new, now[1], before[1])


def _most(changes: list[tuple[int, int]], fps: int) -> float:
    """Return the most flashes, of two changes each, within any second."""
    frames = [frame for frame, _ in changes]
    begins, most = 0, 0
    for ends, frame in enumerate(frames):
        while frame - frames[begins] >= fps:
            begins += 1
        most = max(most, ends - begins + 1)
    return most / 2
