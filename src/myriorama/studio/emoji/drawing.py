"""Draws scripts as frames: emoji on small painted places, and where in the frame they are."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from myriorama.studio import lexicon, sprites
from myriorama.studio.emoji import places
from myriorama.studio.emoji.scripts import FRAMES, Script
from myriorama.studio.emoji.vocabulary import ACTORS

SIDE_PX = 64


def frames_of(scripts: Sequence[Script]) -> tuple[Tensor, Tensor]:
    """Return `(clips, FRAMES, 3, px, px)` within [-1, 1], and how much of it is the actor."""
    rows = [_row(script) for script in scripts]
    x, y, size, turn, squash = torch.tensor(np.stack(rows)).permute(1, 0, 2).reshape(5, -1)
    wide, high = 1 / (size * (1 + 0.6 * squash)), 1 / (size * (1 - squash))
    # The feet stay where they are while the body is pressed flat.
    y = y + size * squash
    cosine, sine = torch.cos(turn), torch.sin(turn)
    first = torch.stack([cosine * wide, sine * wide, -(cosine * x + sine * y) * wide], -1)
    second = torch.stack([-sine * high, cosine * high, (sine * x - cosine * y) * high], -1)
    count = len(scripts)
    grid = functional.affine_grid(
        torch.stack([first, second], 1),
        [count * FRAMES, 4, SIDE_PX, SIDE_PX],
        align_corners=False,
    )
    names = list(ACTORS)
    chosen = torch.tensor([names.index(script.actor) for script in scripts])
    drawings = _atlas()[chosen.repeat_interleave(FRAMES)]
    layer = functional.grid_sample(drawings, grid, padding_mode="zeros", align_corners=False)
    layer = layer.reshape(count, FRAMES, 4, SIDE_PX, SIDE_PX)
    alpha = layer[:, :, 3:]
    behind = torch.stack([places.frames_of(script, SIDE_PX) for script in scripts])
    return ((behind * (1 - alpha) + layer[:, :, :3]) * 2 - 1).clamp(-1, 1), alpha


def _row(script: Script) -> np.ndarray:
    moves = script.moves
    return np.stack([moves.x, moves.y, moves.size, moves.turn, moves.squash])


_DRAWING_PX = 48


@cache
def _atlas() -> Tensor:
    """All actors, facing right, with colour premultiplied by alpha: (actors, 4, px, px)."""
    return torch.stack([_drawn(name) for name in ACTORS])


def _drawn(name: str) -> Tensor:
    image = sprites.drawing(name, _DRAWING_PX * 2)
    square = np.zeros((_DRAWING_PX * 2, _DRAWING_PX * 2, 4), np.float32)
    pixels = np.asarray(image, np.float32) / 255
    if name in lexicon.FACING_LEFT:
        pixels = pixels[:, ::-1]
    height, width = pixels.shape[:2]
    # It stands on the lower edge, in the middle.
    left = (square.shape[1] - width) // 2
    square[square.shape[0] - height :, left : left + width] = pixels
    square[..., :3] *= square[..., 3:]
    whole = torch.tensor(square).permute(2, 0, 1)
    return functional.avg_pool2d(whole, 2)
