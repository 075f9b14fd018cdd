"""How latents look: a linear map from them to colours, good enough for a preview.

It is fitted once per model, to pictures that its own autoencoder encoded, and kept beside the
weights. Looking at latents through it costs microseconds, where decoding them costs seconds.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.diffusion import require
from myriorama.studio.previews import evenly, scaled


@dataclass(frozen=True)
class LatentColours:
    """`matrix` is (channels + 1, 3): colours in [-1, 1] are (latent, 1) @ matrix."""

    matrix: NDArray[np.float32]

    @classmethod
    def of(cls, pipeline: Any, *, kept: Path) -> Self:
        """Read what was fitted to the model before, or fit it now."""
        file = kept / "latent-colours.npy"
        channels = int(pipeline.transformer.config.in_channels)
        with suppress(OSError, ValueError):
            matrix: NDArray[np.float32] = np.load(file)
            if matrix.shape == (channels + 1, 3):
                return cls(matrix)
        fitted = cls(_fitted(pipeline))
        with suppress(OSError):  # A folder that cannot be written to is fitted again next time.
            kept.mkdir(exist_ok=True)
            np.save(file, fitted.matrix)
        return fitted

    def preview(self, latents: Any, *, skipped: int) -> NDArray[np.uint8]:
        """Look at normalised latents (clips, channels, frames, rows, columns): four frames a clip.

        The first `skipped` frames are not the clip's own.
        """
        seen: NDArray[np.float32] = latents[:, :, skipped:].float().cpu().numpy()
        picked = evenly(seen.shape[2])
        cells = np.moveaxis(seen[:, :, picked], 1, -1)
        colours = cells @ self.matrix[:-1] + self.matrix[-1]
        pixels = np.rint((colours + 1).clip(0, 2) * 127.5).astype(np.uint8)
        return scaled(pixels.reshape(-1, *pixels.shape[2:]))


_CLIPS, _SIDE, _LENGTH = 12, 128, 17


def _fitted(pipeline: Any) -> NDArray[np.float32]:
    torch = require("torch")
    vae = pipeline.vae
    # Fields of colour that change slowly over the picture and in time, as most of a video does.
    seed = torch.Generator().manual_seed(0)
    coarse = torch.rand((_CLIPS, 3, 3, 4, 4), generator=seed) * 2 - 1
    size = (_LENGTH, _SIDE, _SIDE)
    clips = torch.nn.functional.interpolate(coarse, size, mode="trilinear", align_corners=True)
    latents: list[Any] = []
    with torch.no_grad():
        for clip in clips:  # One by one: they need not fit at once.
            encoded = vae.encode(clip[None].to(vae.device, vae.dtype)).latent_dist.mode()
            latents.append(normalised(pipeline, encoded).float().cpu())
    seen = torch.cat(latents)
    wanted = torch.nn.functional.adaptive_avg_pool3d(clips, seen.shape[2:])
    cells = seen.movedim(1, -1).flatten(0, 3).double()
    known: NDArray[np.float64] = torch.cat([cells, torch.ones_like(cells[:, :1])], 1).numpy()
    colours: NDArray[np.float64] = wanted.movedim(1, -1).flatten(0, 3).double().numpy()
    # A little ridge: a model with channels that say nothing of colour is fitted all the same.
    squared = known.T @ known + 1e-6 * len(known) * np.eye(known.shape[1])
    return np.linalg.solve(squared, known.T @ colours).astype(np.float32)


def normalised(pipeline: Any, latents: Any) -> Any:
    """Bring latents of the autoencoder to the scale that the transformer works on."""
    vae = pipeline.vae
    mean = vae.latents_mean.view(1, -1, 1, 1, 1).to(latents.device, latents.dtype)
    deviation = vae.latents_std.view(1, -1, 1, 1, 1).to(latents.device, latents.dtype)
    return (latents - mean) * vae.config.scaling_factor / deviation
