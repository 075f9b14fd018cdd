"""Pictures about the small model: what it renders, and how its losses fell."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont


def contact_sheet(clips: NDArray[np.uint8], captions: Sequence[str], path: Path) -> None:
    """Show every other frame of clips `(clips, frames, h, w, 3)`, two clips a row, captioned."""
    shown = clips[:, ::2]
    count, frames, height, width, _ = shown.shape
    strip, line = frames * width, 14
    rows = -(-count // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * (strip + _GAP) - _GAP, rows * (height + line)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for index, (clip, caption) in enumerate(zip(shown, captions, strict=True)):
        left = index % _COLUMNS * (strip + _GAP)
        top = index // _COLUMNS * (height + line)
        pen.text((left + 2, top), caption, fill="black", font=font)
        sheet.paste(Image.fromarray(np.concatenate(list(clip), 1)), (left, top + line))
    sheet.save(path, optimize=True)


_COLUMNS = 2
_GAP = 12


def curves(files: Mapping[str, Path], path: Path) -> None:
    """Draw the losses of courses, by the title of each, over the seconds they took."""
    sheet = Image.new("RGB", (_WIDTH, len(files) * _HEIGHT), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index, (title, file) in enumerate(files.items()):
        top = index * _HEIGHT
        with file.open(newline="") as lines:
            rows = [
                {key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)
            ]
        pen.text((_MARGIN, top + 4), title, fill="black", font=font)
        _draw(pen, rows, top, font)
    sheet.save(path, optimize=True)


_WIDTH, _HEIGHT, _MARGIN = 640, 200, 48
_COLOURS = ("#1f5fbf", "#c2410c", "#15803d")


def _draw(
    pen: ImageDraw.ImageDraw,
    rows: Sequence[Mapping[str, float]],
    top: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    names = [name for name in rows[0] if name not in {"steps", "seconds"}]
    seconds_max = max(row["seconds"] for row in rows) or 1.0
    highest = max(row[name] for row in rows for name in names)
    lowest = min(row[name] for row in rows for name in names)
    floor, ceiling = top + _HEIGHT - 26, top + 24

    def height(value: float) -> float:
        # In logarithms: what is won late is small, and counts.
        span = np.log(highest / lowest) or 1.0
        return float(floor - (floor - ceiling) * np.log(value / lowest) / span)

    pen.rectangle((_MARGIN, ceiling, _WIDTH - 8, floor), outline="#bbbbbb")
    for value, y in ((highest, ceiling), (lowest, floor)):
        pen.text((4, y - 6), f"{value:.3f}", fill="#555555", font=font)
    minutes = f"{seconds_max / 60:.0f} min, {rows[-1]['steps']:.0f} steps"
    pen.text((_WIDTH - 160, floor + 4), minutes, fill="#555555", font=font)
    for place, name in enumerate(names):
        points = [
            (_MARGIN + (_WIDTH - 8 - _MARGIN) * row["seconds"] / seconds_max, height(row[name]))
            for row in rows
        ]
        pen.line(points, fill=_COLOURS[place % len(_COLOURS)], width=2)
        pen.text((_MARGIN + 90 * place, floor + 4), name, fill=_COLOURS[place % 3], font=font)
