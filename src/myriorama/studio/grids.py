"""Grids: how the tiles of a sprite sheet lie. Read by who draws one, and by who tells players."""

from dataclasses import dataclass

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
