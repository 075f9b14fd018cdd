"""The perceptual hash: 64 bits that clips which look alike have nearly in common.

The weakest of the proofs, and the last that is asked: it says that a clip looks like one of ours,
not that it is. It survives what the watermark does not, such as a filter over the whole picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.watermark import GRID, grid

ALIKE_MAX = 8
"""Clips whose hashes differ in so many bits at most are taken to look alike."""
NOTHING_TO_SEE = 0
"""The hash of clips without features: it resembles no other, itself included."""


def perceptual_hash(frames: NDArray[np.uint8]) -> int:
    """Hash frames of shape (frames, height, width, 3)."""
    chosen = frames[:: max(1, len(frames) // _LOOKED_AT)]
    return hash_of_grids([grid(frame) for frame in chosen])


def hash_of_grids(grids: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> int:
    """Hash a clip from its frames in small, evenly spread over its length.

    Each quarter of the clip gives 16 bits: which of its lowest frequencies are stronger than the
    middle one.
    """
    if len(grids) < _QUARTERS:
        return NOTHING_TO_SEE
    found = 0
    for part in np.array_split(np.asarray(grids, np.float64), _QUARTERS):
        low = (_COSINES @ part.mean(0) @ _COSINES.T).ravel()[1:]
        middle = float(np.median(low))
        if float(np.abs(low - middle).max()) < _FAINT:
            return NOTHING_TO_SEE
        for value in low[:_BITS_A_QUARTER]:
            found = found << 1 | int(value > middle)
    return found


def distance(one: int, other: int) -> int:
    """Count the bits that differ."""
    return (one ^ other).bit_count()


_LOOKED_AT = 16
_QUARTERS = 4
_BITS_A_QUARTER = 16
_FREQUENCIES = 5
_FAINT = 20.0
"""What a mark in a corner of a plain picture comes to, with some to spare."""
_COSINES = np.cos(
    np.pi * np.arange(_FREQUENCIES)[:, None] * (np.arange(GRID)[None] + 0.5) / GRID
) * np.sqrt(2 / GRID)
