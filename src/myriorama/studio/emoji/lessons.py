"""What the transformer learns from: clips as latents and captions as embeddings, made once.

With both at hand, a step of training costs nothing but the transformer itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

import torch
from torch import Tensor

from myriorama.studio.emoji import drawing, principal, scripts, sounding
from myriorama.studio.emoji.principal import Basis
from myriorama.studio.emoji.reading import Reader
from myriorama.studio.emoji.scripts import Script
from myriorama.studio.emoji.vocabulary import ACTORS, Motion, Place, caption, is_held_out

Cast = tuple[str, Motion, Place]
CAPTIONS_EACH = 4

Report = Callable[[int, int], None]
"""Hears how many of how many are done."""


@dataclass(frozen=True)
class Captions:
    """`CAPTIONS_EACH` captions of each cast, in order, and the empty one at the end."""

    embeddings: Tensor
    present: Tensor


@dataclass(frozen=True)
class Clips:
    """Latents of clips: the cast of each, picture, sound, and how much of a block is the actor."""

    casts: Tensor
    pictures: Tensor
    sounds: Tensor
    actors: Tensor


def trained_casts() -> list[Cast]:
    """All combinations that may be trained on."""
    everything = product(ACTORS, Motion, Place)
    return [cast for cast in everything if not is_held_out(*cast)]


def captions(casts: Sequence[Cast], seed: int) -> Captions:
    """Write captions of casts and read them."""
    rng = Random(seed)  # noqa: S311  # Draws captions, not secrets.
    texts = [caption(*cast, rng) for cast in casts for _ in range(CAPTIONS_EACH)]
    readings = Reader().read([*texts, ""])
    return Captions(readings.embeddings, readings.present)


def clips(basis: Basis, sound_codec: Any, *, count: int, seed: int, report: Report) -> Clips:
    """Make clips of all trained casts in turn, in another order each time."""
    rng = Random(seed)  # noqa: S311  # Draws clips, not secrets.
    casts = trained_casts()
    order: list[int] = []
    while len(order) < count:
        order += rng.sample(range(len(casts)), len(casts))
    pictures: list[Tensor] = []
    sounds: list[Tensor] = []
    actors: list[Tensor] = []
    for first in range(0, count, _TOGETHER):
        wanted = [casts[index] for index in order[first : min(count, first + _TOGETHER)]]
        written = [scripts.script_of(*cast, rng) for cast in wanted]
        frames, alpha = drawing.frames_of(written)
        pictures.append(basis.encode(frames).half())
        sounds.append(sound_latents(sound_codec, written).half())
        shares = principal.blocks(alpha.expand(-1, -1, 3, -1, -1)).mean(-1)
        actors.append(shares.half())
        report(min(count, first + _TOGETHER), count)
    return Clips(
        torch.tensor(order[:count]), torch.cat(pictures), torch.cat(sounds), torch.cat(actors)
    )


_TOGETHER = 32


def sound_latents(sound_codec: Any, written: Sequence[Script]) -> Tensor:
    """Encode the sound of scripts, normalised: (clips, latents, width)."""
    mel = sounding.mel_of(sounding.waves_of(written))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        codes = sound_codec.encode(mel).latent_dist.mean
    packed = codes.float().transpose(1, 2).flatten(2, 3)
    normal: Tensor = (packed - sound_codec.latents_mean) / sound_codec.latents_std
    return normal
