"""Stills of a clip: its poster, its thumbnail, and a sprite sheet for looking ahead in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

THUMBNAIL_WIDTH_PX = 320
TILE_SIDE_PX = 160
TILE_EVERY_MS = 500
TILES_MAX = 100
SHEET_COLUMNS = 10


@dataclass(frozen=True)
class Grid:
    """How a sprite sheet is laid out: tiles in reading order, one each `every_ms`.

    It follows from a video's size and length alone, so that players need nothing but the sheet.
    """

    tiles: int
    columns: int
    tile_width: int
    tile_height: int
    every_ms: int

    @classmethod
    def of(cls, *, width: int, height: int, duration_ms: int) -> "Grid":
        """Return the layout for a video of this size in pixels and this length."""
        every_ms = max(TILE_EVERY_MS, -(-duration_ms // TILES_MAX))
        tiles = max(1, -(-duration_ms // every_ms))
        scale = TILE_SIDE_PX / max(width, height)
        return cls(
            tiles=tiles,
            columns=min(tiles, SHEET_COLUMNS),
            tile_width=max(1, round(width * scale)),
            tile_height=max(1, round(height * scale)),
            every_ms=every_ms,
        )

    @property
    def rows(self) -> int:
        return -(-self.tiles // self.columns)

    def place(self, tile: int) -> tuple[int, int]:
        """Return the left and upper edge of a tile, in pixels."""
        return tile % self.columns * self.tile_width, tile // self.columns * self.tile_height


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
