"""Stills show what is going on, and a sprite sheet lies as its layout says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from myriorama.studio.grids import TILES_MAX, Grid
from myriorama.studio.stills import save_sprite_sheet

FPS = 24


def greying(seconds: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return frames that become lighter with every second."""
    frames = np.zeros((seconds * FPS, 160, 96, 3), np.uint8)
    for second in range(seconds):
        frames[second * FPS : (second + 1) * FPS] = 20 + 20 * second
    return frames


def test_a_player_finds_each_moment_on_the_sheet_by_the_layout_alone(tmp_path: Path) -> None:
    made = save_sprite_sheet(greying(6), FPS, tmp_path / "sheet.webp")

    layout = Grid.of(width=96, height=160, duration_ms=6_000)
    assert made == layout
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert sheet.size == (layout.columns * 96, layout.rows * 160)
        for tile in range(layout.tiles):
            left, top = layout.place(tile)
            red, _, _ = sheet.convert("RGB").getpixel((left + 48, top + 80))  # type: ignore[misc]  # RGB has three
            assert red == pytest.approx(20 + 20 * (tile // 2), abs=3)


def test_a_long_video_has_no_endless_sheet() -> None:
    layout = Grid.of(width=1280, height=704, duration_ms=600_000)

    assert layout.tiles == TILES_MAX
    assert layout.every_ms == 6_000
    assert (layout.tile_width, layout.tile_height) == (160, 88)
