"""Stills of a clip: its poster, its thumbnail, and a sprite sheet for looking ahead in it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from myriorama.studio.grids import Grid

THUMBNAIL_WIDTH_PX = 320


def save_stills(frames: NDArray[np.uint8], *, poster: Path, thumbnail: Path) -> None:
    """Write the poster as JPEG and the thumbnail as WebP: what is seen a third into the clip."""
    # A third into the clip something is going on.
    still = Image.fromarray(frames[len(frames) // 3])
    still.save(poster, format="JPEG", quality=85, optimize=True, progressive=True)
    still.thumbnail((THUMBNAIL_WIDTH_PX, THUMBNAIL_WIDTH_PX * 4), reducing_gap=2.0)
    still.save(thumbnail, format="WEBP", quality=80)


def save_sprite_sheet(frames: NDArray[np.uint8], fps: int, path: Path) -> Grid:
    """Write the sprite sheet as WebP; each tile shows the frame in the middle of its time."""
    height, width = frames.shape[1:3]
    grid = Grid.of(width=width, height=height, duration_ms=round(len(frames) * 1000 / fps))
    tile_size = (grid.tile_width, grid.tile_height)
    sheet = Image.new("RGB", (grid.columns * grid.tile_width, grid.rows * grid.tile_height))
    for tile in range(grid.tiles):
        middle = round((tile + 0.5) * grid.every_ms / 1000 * fps)
        frame = Image.fromarray(frames[min(middle, len(frames) - 1)])
        small = frame.resize(tile_size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        sheet.paste(small, grid.place(tile))
    sheet.save(path, format="WEBP", quality=70, method=2)
    return grid
