"""The judge: a small network that sees who does what where in a clip, and when it lands.

It learns from clips that were drawn for it alone, never from what the model makes, and never hears
the sound.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional

from myriorama.studio.emoji import drawing, scripts
from myriorama.studio.emoji.scripts import FPS, FRAMES
from myriorama.studio.emoji.training import draw_from
from myriorama.studio.emoji.vocabulary import ACTORS, Motion, Place


@dataclass(frozen=True)
class Seen:
    """Indexes into ACTORS, Motion and Place, and how likely each frame is one of contact."""

    actors: Tensor
    motions: Tensor
    places: Tensor
    contacts: Tensor


class Judge(nn.Module):
    """Looks at `(clips, FRAMES, 3, 64, 64)` within [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 96, 128)
        self.eye = nn.Sequential(
            *(
                layer
                for narrow, wide in pairwise(widths)
                for layer in (
                    nn.Conv2d(narrow, wide, 3, stride=2, padding=1),
                    nn.GroupNorm(8, wide),
                    nn.SiLU(),
                )
            )
        )
        self.where = nn.Conv2d(widths[-1], 24, 1)
        self.time = nn.Sequential(
            nn.Conv1d(24 * 16, 192, 3, padding=1),
            nn.SiLU(),
            nn.Conv1d(192, 192, 5, padding=2),
            nn.SiLU(),
        )
        self.contact = nn.Conv1d(192, 1, 3, padding=1)
        self.motion = nn.Linear(2 * 192, len(Motion))
        self.actor = nn.Linear(2 * widths[-1], len(ACTORS))
        self.place = nn.Linear(2 * widths[-1], len(Place))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return logits: of actors, motions, places, and of a contact in each frame."""
        clips = len(frames)
        seen = self.eye(frames.flatten(0, 1))
        looks = seen.unflatten(0, (clips, FRAMES))
        pooled = torch.cat([looks.mean((1, 3, 4)), looks.amax((1, 3, 4))], 1)
        track = self.time(self.where(seen).unflatten(0, (clips, FRAMES)).flatten(2).mT)
        moves = torch.cat([track.mean(2), track.amax(2)], 1)
        return self.actor(pooled), self.motion(moves), self.place(pooled), self.contact(track)[:, 0]

    @torch.no_grad()
    def look(self, frames: Tensor) -> Seen:
        """Say what is seen in clips."""
        actors, motions, places, contacts = self.eval()(frames)
        return Seen(actors.argmax(1), motions.argmax(1), places.argmax(1), contacts.sigmoid())


def drawn(count: int, rng: Random) -> tuple[Tensor, Seen]:
    """Draw clips with what is to be seen in them."""
    written = [scripts.drawn_script(rng) for _ in range(count)]
    frames, _ = drawing.frames_of(written)
    contacts = torch.zeros(count, FRAMES)
    for row, script in enumerate(written):
        for at_s in script.contacts_s:
            contacts[row, round(at_s * FPS)] = 1
    actors, motions, places = list(ACTORS), list(Motion), list(Place)
    return frames, Seen(
        torch.tensor([actors.index(script.actor) for script in written]),
        torch.tensor([motions.index(script.motion) for script in written]),
        torch.tensor([places.index(script.place) for script in written]),
        contacts,
    )


def trained(steps: int, seed: int, report: Callable[[int, int], None]) -> Judge:
    """Train a judge on `_TOGETHER` newly drawn clips a step, spoilt as a model may spoil them."""
    rng = Random(seed)  # noqa: S311  # Draws clips, not secrets.
    draw_from(seed)
    judge = Judge().train()
    optimiser = torch.optim.AdamW(judge.parameters(), lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1, (step + 1) / 50) * (0.51 + 0.49 * math.cos(math.pi * step / steps)),
    )
    for step in range(steps):
        frames, truth = drawn(_TOGETHER, rng)
        actors, motions, places, contacts = judge(_spoilt(frames))
        loss = (
            functional.cross_entropy(actors, truth.actors)
            + functional.cross_entropy(motions, truth.motions)
            + functional.cross_entropy(places, truth.places)
            + functional.binary_cross_entropy_with_logits(
                contacts, truth.contacts, pos_weight=torch.tensor(4.0)
            )
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped.
        optimiser.step()  # pyright: ignore[reportUnknownMemberType] - torch leaves it untyped
        schedule.step()
        report(step + 1, steps)
    return judge.eval()


_TOGETHER = 16
_RATE = 1.5e-3


def _spoilt(frames: Tensor) -> Tensor:
    """Blur clips, tint them and add noise, each by another measure."""
    clips = len(frames)
    small = functional.avg_pool2d(frames.flatten(0, 1), 2)
    blurred = functional.interpolate(small, scale_factor=2, mode="bilinear").view_as(frames)
    share = torch.rand(clips, 1, 1, 1, 1)
    frames = frames * (1 - share) + blurred * share
    frames = frames * (1 + 0.3 * (torch.rand(clips, 1, 3, 1, 1) - 0.5))
    frames = frames + 0.3 * (torch.rand(clips, 1, 3, 1, 1) - 0.5)
    return frames + 0.12 * torch.rand(clips, 1, 1, 1, 1) * torch.randn_like(frames)


def saved(judge: Judge, path: Path) -> None:
    """Keep a judge."""
    torch.save(judge.state_dict(), path)


def loaded(path: Path) -> Judge:
    """Fetch a judge that was kept."""
    judge = Judge()
    judge.load_state_dict(torch.load(path))
    return judge.eval()
