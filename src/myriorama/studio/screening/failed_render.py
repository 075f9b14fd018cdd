"""Clips that show nothing: flat pictures, or one picture that stands still."""

import numpy as np
from numpy.typing import NDArray

_CELLS_A_SIDE = 32


def brightness(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean brightness, 0 to 255, of the cells of every frame: (frames, rows, columns).

    Frames are RGB of shape (frames, height, width, 3).
    """
    return np.asarray(cells(frames).mean(axis=-1), np.float32)


def cells(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return frames made small, up to 32 cells a side, each the mean colour of what it covers."""
    count, height, width, _ = frames.shape
    rows, columns = min(height, _CELLS_A_SIDE), min(width, _CELLS_A_SIDE)
    tall, wide = height // rows, width // columns
    small = np.empty((count, rows, columns, 3), np.float32)
    for frame, into in zip(frames, small, strict=True):
        # Every other pixel of large cells is plenty for a mean.
        cut = frame[: rows * tall, : columns * wide].reshape(rows, tall, columns, wide, 3)
        sparse = cut[:, :: max(1, tall // 8), :, :: max(1, wide // 8)]
        sparse.mean(axis=(1, 3), dtype=np.float32, out=into)
    return small


def contrast(frames: NDArray[np.uint8]) -> float:
    """Return how far brightness reaches in the frame that has the most of it: 0 is all flat."""
    if not frames.size:
        return 0.0
    shown = brightness(frames)
    return float(np.max(shown.max(axis=(1, 2)) - shown.min(axis=(1, 2))))


def change(frames: NDArray[np.uint8]) -> float:
    """Return how far the cell that changes most does so over the clip: 0 is one still picture."""
    if len(frames) < 2:  # noqa: PLR2004 - one picture cannot change
        return 0.0
    shown = brightness(frames)
    return float(np.max(shown.max(axis=0) - shown.min(axis=0)))
