"""Measures the small model on prompts that it never saw, as a judge of its own sees the clips."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from random import Random
from statistics import median
from typing import Any

import torch
from torch import Tensor

from myriorama.studio.emoji import drawing, sampling, scripts, sounding, synchrony
from myriorama.studio.emoji.judge import Judge
from myriorama.studio.emoji.lessons import Cast
from myriorama.studio.emoji.vocabulary import ACTORS, Motion, Place, caption, is_held_out


@dataclass(frozen=True)
class Figures:
    """Shares of clips that are right. Sync is counted over clips that have a contact by prompt.

    `sync_by_chance` is what the pictures give with the sound of another such clip.
    """

    clips: int
    sprite: float
    motion: float
    background: float
    all_three: float
    contact_clips: int
    sync: float
    sync_by_chance: float
    offset_ms: float
    """The median distance of an onset from its contact."""


def held_out(count: int, seed: int, *, other_words: bool) -> list[tuple[Cast, str]]:
    """Write prompts for combinations that are never trained on, or in words that never are."""
    rng = Random(seed)  # noqa: S311  # Draws prompts, not secrets.
    casts = [cast for cast in product(ACTORS, Motion, Place) if is_held_out(*cast)]
    chosen = rng.sample(casts, count)
    return [(cast, caption(*cast, rng, held_out=other_words)) for cast in chosen]


def of_model(
    pipeline: Any,
    judge: Judge,
    prompts: Sequence[tuple[Cast, str]],
    report: Callable[[int, int], None],
) -> tuple[Figures, Tensor, Tensor]:
    """Render prompts and judge them; returns the clips (within [0, 1]) and their sound as well."""
    pictures: list[Tensor] = []
    sounds: list[Tensor] = []
    for first in range(0, len(prompts), _TOGETHER):
        some = [prompt for _, prompt in prompts[first : first + _TOGETHER]]
        seeds = range(first, first + len(some))
        frames, sound = sampling.sample(pipeline, some, seeds)
        pictures.append(frames)
        sounds.append(sound)
        report(first + len(some), len(prompts))
    clips, heard = torch.cat(pictures), torch.cat(sounds)
    casts = [cast for cast, _ in prompts]
    return judged(judge, casts, clips * 2 - 1, heard.mean(1)), clips, heard


_TOGETHER = 10


def of_drawings(judge: Judge, count: int, seed: int) -> Figures:
    """Judge clips that are drawn, not made by the model: as good as these figures can become."""
    rng = Random(seed)  # noqa: S311  # Draws clips, not secrets.
    written = [scripts.drawn_script(rng) for _ in range(count)]
    frames, _ = drawing.frames_of(written)
    casts = [(script.actor, script.motion, script.place) for script in written]
    return judged(judge, casts, frames, sounding.waves_of(written))


def judged(judge: Judge, casts: Sequence[Cast], frames: Tensor, waves: Tensor) -> Figures:
    """Judge clips within [-1, 1] and their mono sound."""
    seen = judge.look(frames)
    actors, motions, places = list(ACTORS), list(Motion), list(Place)
    right = torch.tensor(
        [
            [
                actors[seen.actors[row]] == actor,
                motions[seen.motions[row]] == motion,
                places[seen.places[row]] == place,
            ]
            for row, (actor, motion, place) in enumerate(casts)
        ]
    ).float()
    landing = [row for row, cast in enumerate(casts) if cast[1] in _LANDING]
    apart = [synchrony.offsets(seen.contacts[row], waves[row]) for row in landing]
    others = [*landing[1:], *landing[:1]]
    chance = [
        synchrony.offsets(seen.contacts[row], waves[other])
        for row, other in zip(landing, others, strict=True)
    ]
    distances = [abs(offset) for clip in apart for offset in clip.seconds]
    return Figures(
        clips=len(casts),
        sprite=float(right[:, 0].mean()),
        motion=float(right[:, 1].mean()),
        background=float(right[:, 2].mean()),
        all_three=float(right.prod(1).mean()),
        contact_clips=len(landing),
        sync=_share(apart),
        sync_by_chance=_share(chance),
        offset_ms=1000 * median(distances) if distances else float("inf"),
    )


_LANDING = (Motion.BOUNCE, Motion.FALL, Motion.JUMP)


def _share(clips: Sequence[synchrony.Offsets]) -> float:
    return sum(clip.is_in_sync for clip in clips) / max(1, len(clips))


def table(figures: Figures) -> str:
    """Show figures one a line."""
    return "\n".join(f"{name:16} {value:.3f}" for name, value in asdict(figures).items())
