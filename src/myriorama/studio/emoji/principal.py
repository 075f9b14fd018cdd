"""The latent space of the small model: principal components of blocks of pixels.

Such a code is had in seconds, where an autoencoder that finds its own takes hours of a core to
become as good. The decoder begins as the exact inverse, and learns from there.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from myriorama.studio.emoji.architecture import LATENT_CHANNELS, PATCH_FRAMES, PATCH_PX

_PIXELS = PATCH_FRAMES * 3 * PATCH_PX * PATCH_PX


@dataclass(frozen=True)
class Basis:
    """`code = (block - mean) @ components / scales`; scales of weak components are held up."""

    mean: Tensor
    components: Tensor
    scales: Tensor

    def encode(self, frames: Tensor) -> Tensor:
        """From `(clips, 4 n + 1, 3, h, w)` to latents `(clips, channels, n + 1, h/16, w/16)`."""
        codes = (blocks(frames) - self.mean) @ self.components / self.scales
        return codes.permute(0, 4, 1, 2, 3)


def fitted(frames: Tensor, actor: Tensor) -> Basis:
    """Find the components of clips; blocks that show an actor count four times as much."""
    rows = blocks(frames).reshape(-1, _PIXELS)
    shows = blocks(actor.expand(-1, -1, 3, -1, -1)).reshape(-1, _PIXELS).mean(1) > _SHOWS
    empty = rows[~shows]
    rows = torch.cat([rows[shows], empty[torch.randperm(len(empty))[: int(shows.sum()) // 4]]])
    rows = rows[torch.randperm(len(rows))[:_ROWS_MAX]]
    mean = rows.mean(0)
    _, _, components = torch.pca_lowrank(rows - mean, LATENT_CHANNELS, center=False, niter=4)
    scales = ((rows - mean) @ components).std(0)
    return Basis(mean, components, scales.clamp(min=float(scales.mean()) * _SCALE_MIN))


_SHOWS = 0.03
_ROWS_MAX = 24_000
_SCALE_MIN = 0.5


def blocks(frames: Tensor) -> Tensor:
    """Cut clips into blocks; the first frame fills one by itself: (clips, n + 1, h, w, pixels)."""
    clips, count, colours, high, wide = frames.shape
    frames = torch.cat([frames[:, :1].expand(-1, PATCH_FRAMES - 1, -1, -1, -1), frames], 1)
    rows, columns = high // PATCH_PX, wide // PATCH_PX
    steps = (count - 1) // PATCH_FRAMES + 1
    cut = frames.reshape(clips, steps, PATCH_FRAMES, colours, rows, PATCH_PX, columns, PATCH_PX)
    return cut.permute(0, 1, 4, 6, 2, 3, 5, 7).reshape(clips, steps, rows, columns, _PIXELS)
