"""The watermark: 64 bits in the picture that nobody sees and that re-encoding leaves legible.

Written by the worker into every frame; read by the gate of publication and by the detector, which
look at frames in small (`grid`) and need neither the clip as it was nor its size.

How it works. A picture of any size is looked at as 40 x 40 cells, and of each square of four cells
the three differences (the Haar coefficients) are taken: 1200 chips. A key deals the chips to the 64
bits and gives each a sign; a bit is written by pushing its chips up or down by one to a few levels
of brightness, more where there is much to see and less where there is little. Five times a second
the whole pattern turns over, so that what stands still cancels out when the turned halves are
subtracted. What moves is known when the mark is written, and made up for bit by bit.

When it speaks. For a picture that was not marked, and whatever is in it, the sum of a bit's chips
under signs that were drawn by the key is a Rademacher sum: over its norm it is subgaussian, and the
energy, the sum of the 64 squares, exceeds 64 c with a probability of at most (c e^(1-c))^32. The
mark counts as found where that bound is below one in a million, `FALSE_ALARM_MAX`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 64
GRID = 40
PSNR_MIN_DB = 40.4
FALSE_ALARM_MAX = 1e-6
BIT_ERRORS_MAX = 3
"""So many bits may be read wrong: two marks drawn at random are as near once in 10^14."""

Grid = NDArray[np.float32]


@dataclass(frozen=True)
class Detection:
    """What a clip carries.

    `false_alarm` bounds the probability that a clip without a mark would say as much. If the clip
    has lost its beginning, every bit of the payload may be the other way round.
    """

    payload: int
    false_alarm: float


class Watermark:
    """Writes and reads marks under a key; without the key they can be neither read nor aimed at."""

    def __init__(self, key: bytes) -> None:
        stream = shake_256(b"myriorama watermark" + key).digest(_CHIPS * 5)
        order = np.frombuffer(stream[: _CHIPS * 4], ">u4")
        self._bit = np.argsort(order, kind="stable") % BITS
        coins = np.frombuffer(stream[_CHIPS * 4 :], np.uint8) & 1
        self._sign = coins.astype(np.float32) * 2 - 1

    def embed(self, frames: NDArray[np.uint8], payload: int, *, fps: int) -> None:
        """Mark frames of shape (frames, height, width, 3), in place."""
        bits = _bits(payload)
        times_s = np.arange(len(frames)) / fps
        looked = np.arange(0, len(frames), _LOOK_EVERY)
        windows = [range(i, min(i + _WINDOW, len(frames))) for i in range(0, len(frames), _WINDOW)]
        strengths = [_strength(frames[window.start : window.stop : 12]) for window in windows]
        host, weight = _demodulated(
            np.stack([grid(frames[index]) for index in looked]), times_s[looked]
        )
        pushed = (bits[self._bit] * self._sign).astype(np.float32)
        gain = self._gain(host, weight, pushed, np.mean(strengths, 0), bits)
        wanted = _cells(pushed * gain[self._bit])
        phases = _phase(times_s)
        for window, strength in zip(windows, strengths, strict=True):
            part = frames[window.start : window.stop]
            _add(part, _pattern(wanted * strength, part.shape[1:3]), phases[window.start :])

    def read(
        self, grids: NDArray[np.float32], times_s: NDArray[np.float64], *, is_whole: bool = False
    ) -> Detection | None:
        """Read the mark of a clip from its frames in small, and when each is shown; None is none.

        `grids` is (frames, 40, 40). Every frame, or every second one, is enough. Of what `is_whole`
        the beginning is known, so that no bit may be the other way round.
        """
        if len(grids) < _FRAMES_MIN:
            return None
        found = self._read(grids, times_s)
        if not is_whole:
            step_s = _PERIOD_S / (2 * _SHIFTS)
            shifted = (self._read(grids, times_s + at * step_s) for at in range(1, _SHIFTS))
            best = min(shifted, key=lambda detection: detection.false_alarm)
            # Next to the right place the bound may be a little lower, and the bits turned over.
            if best.false_alarm < found.false_alarm**2:
                found = best
        return found if found.false_alarm < FALSE_ALARM_MAX else None

    def detect(self, frames: NDArray[np.uint8], *, fps: float) -> Detection | None:
        """Read the mark of frames, (frames, height, width, 3) or without colour."""
        grids = np.stack([grid(frame) for frame in frames])
        return self.read(grids, np.arange(len(frames)) / fps)

    def _read(self, grids: NDArray[np.float32], times_s: NDArray[np.float64]) -> Detection:
        chips, weight = _demodulated(grids, times_s)
        voted = chips * weight
        norm = np.sqrt(np.bincount(self._bit, voted * voted, BITS))
        votes = np.bincount(self._bit, voted * self._sign, BITS) / np.maximum(norm, 1e-9)
        bound = _SHIFTS * _false_alarm(float(np.square(votes).sum()))
        return Detection(_payload(votes), min(1.0, bound))

    def _gain(
        self,
        host: NDArray[np.float64],
        weight: NDArray[np.float64],
        pushed: NDArray[np.float32],
        strength: Grid,
        bits: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """How hard each bit must be pushed, given what the clip by itself says about it."""
        answer = _chips((_cells(pushed) * strength)[None])[0] * _ANSWER
        heard = np.bincount(self._bit, weight * self._sign * host, BITS) * bits
        own = np.bincount(self._bit, weight * self._sign * answer, BITS) * bits
        gain = 1 - _COMPENSATION * heard / np.maximum(own, 1e-9)
        clipped: NDArray[np.float32] = np.clip(gain, *_GAIN).astype(np.float32)
        return clipped


def grid(frame: NDArray[np.uint8]) -> Grid:
    """Look at a frame in small: its brightness in 40 x 40 cells, whatever its size."""
    image = Image.fromarray(frame)
    if image.mode != "L":
        image = image.convert("L")
    small: Grid = np.asarray(image.convert("F").resize((GRID, GRID), Image.Resampling.BOX))
    return small


_PERIOD_S = 0.4
"""How long a pattern and its turned half are seen together."""
_CHIPS = 3 * (GRID // 2) ** 2
_FRAMES_MIN = 12
_SHIFTS = 4
_LOOK_EVERY = 3
_WINDOW = 48
"""Strengths follow the picture every 48 frames, where the encoder puts a key frame anyway."""
_FLAT, _BUSY, _SLOPE = 1.2, 9.0, 0.6
_NOISE = 0.5
_ANSWER = 0.6
"""How much of a push is left when the smooth pattern is averaged over its cells."""
_COMPENSATION = 1.5
"""More than what is there, for encoders keep more of the picture than of the mark."""
_GAIN = (0.0, 2.5)


def _bits(payload: int) -> NDArray[np.int64]:
    return np.array([payload >> place & 1 for place in range(BITS)]) * 2 - 1


def _payload(votes: NDArray[np.float64]) -> int:
    return sum(1 << place for place in range(BITS) if votes[place] > 0)


def _false_alarm(energy: float) -> float:
    """Bound the probability that a clip without a mark has so much energy."""
    c = energy / BITS
    return 1.0 if c <= 1 else math.exp(BITS / 2 * (math.log(c) + 1 - c))


def _phase(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return +1 and -1 by turns. Times are a little late, lest rounding decides on which side."""
    return 1 - 2 * (np.floor(times_s / (_PERIOD_S / 2) + 1e-3).astype(np.int64) % 2)


def _chips(grids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the differences within each square of four cells: (frames, chips)."""
    a, b = grids[:, 0::2, 0::2], grids[:, 0::2, 1::2]
    c, d = grids[:, 1::2, 0::2], grids[:, 1::2, 1::2]
    bands = np.stack([a - b + c - d, a + b - c - d, a - b - c + d], 1, dtype=np.float32)
    return bands.reshape(len(grids), -1) / np.float32(4)


def _cells(chips: NDArray[np.float32]) -> Grid:
    """Undo `_chips`, up to what a square has in common: (40, 40), its mean square that of one."""
    across, down, both = chips.reshape(3, GRID // 2, GRID // 2)
    cells = np.empty((GRID, GRID), np.float32)
    cells[0::2, 0::2], cells[0::2, 1::2] = across + down + both, down - across - both
    cells[1::2, 0::2], cells[1::2, 1::2] = across - down - both, both - across - down
    even: Grid = (cells / math.sqrt(3)).astype(np.float32)
    return even


def _demodulated(
    grids: NDArray[np.float32], times_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what turns with the pattern, chip by chip, and how far each can be relied on."""
    chips = _chips(grids).astype(np.float64)
    count = len(chips)
    step_s = (times_s[-1] - times_s[0]) / max(1, count - 1)
    width = max(2, round(_PERIOD_S / max(step_s, 1e-6)))
    sums = np.concatenate([np.zeros((1, _CHIPS)), np.cumsum(chips, 0)])
    first = np.clip(np.arange(count) - width // 2, 0, max(0, count - width))
    last = np.minimum(count, first + width)
    around = (sums[last] - sums[first]) / (last - first)[:, None]
    turned = _phase(times_s)[:, None] * (chips - around)
    return turned.mean(0), 1 / np.sqrt(turned.var(0) + _NOISE)


def _strength(frames: NDArray[np.uint8]) -> Grid:
    """How many levels each cell can bear: few where it is flat, more where there is much in it."""
    total = np.zeros((GRID, GRID), np.float32)
    for frame in frames:
        half = np.asarray(Image.fromarray(frame).convert("L").reduce(2), np.float32)
        edges = np.zeros_like(half)
        edges[:, 1:] += np.abs(np.diff(half, axis=1))
        edges[1:] += np.abs(np.diff(half, axis=0))
        total += np.asarray(Image.fromarray(edges).resize((GRID, GRID), Image.Resampling.BOX))
    busy = total / max(1, len(frames))
    return np.clip(_FLAT + _SLOPE * np.maximum(busy - 1, 0), _FLAT, _BUSY).astype(np.float32)


def _pattern(cells: Grid, size: Sequence[int]) -> NDArray[np.int8]:
    """Enlarge smoothly to a frame's size, no louder in all than `PSNR_MIN_DB` allows."""
    height, width = size
    smooth = np.asarray(
        Image.fromarray(cells).resize((width, height), Image.Resampling.BILINEAR), np.float32
    )
    loud = math.sqrt(float(np.square(smooth).mean()) + 1 / 12)
    scale = min(1.0, 255 / 10 ** (PSNR_MIN_DB / 20) / loud)
    levels: NDArray[np.int8] = np.rint(smooth * scale).astype(np.int8)
    return levels


def _add(frames: NDArray[np.uint8], pattern: NDArray[np.int8], phases: NDArray[np.int64]) -> None:
    """Add the pattern to frames or take it away, by their phase, within black and white."""
    up, down = (
        np.repeat(np.maximum(part, 0).astype(np.uint8)[..., None], 3, 2)
        for part in (pattern, -pattern)
    )
    for frame, phase in zip(frames, phases, strict=False):
        more, less = (up, down) if phase > 0 else (down, up)
        np.minimum(frame, 255 - more, out=frame)
        np.add(frame, more, out=frame)
        np.maximum(frame, less, out=frame)
        np.subtract(frame, less, out=frame)
