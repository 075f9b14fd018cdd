"""What is shown of a clip while it renders: four small frames."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FRAMES = 4
LONGEST_PX = 160


def preview_of(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pick four frames, evenly spread from the first to the last, and scale them to 160 px."""
    return scaled(frames[evenly(len(frames))])


def evenly(frames: int) -> list[int]:
    """Pick four of so many frames, evenly spread from the first to the last."""
    return [round(share * (frames - 1) / (FRAMES - 1)) for share in range(FRAMES)]


def scaled(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale frames, larger or smaller, so that their longest side has 160 px."""
    height, width = frames.shape[1:3]
    scale = LONGEST_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.stack([np.asarray(Image.fromarray(frame).resize(size)) for frame in frames])
