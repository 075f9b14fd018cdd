"""Whether a sound begins when something touches the ground: contacts seen, onsets heard."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from myriorama.studio.emoji.architecture import SAMPLE_RATE_HZ
from myriorama.studio.emoji.scripts import FPS

FRAMES_APART_MAX = 2


@dataclass(frozen=True)
class Offsets:
    """How far the nearest onset is from each contact, in seconds; late is positive."""

    seconds: tuple[float, ...]

    @property
    def is_in_sync(self) -> bool:
        """Whether there is a contact, and each is heard within two frames."""
        limit = FRAMES_APART_MAX / FPS
        return bool(self.seconds) and all(abs(offset) <= limit for offset in self.seconds)


def offsets(contacts: Tensor, wave: Tensor) -> Offsets:
    """Compare how likely each frame is one of contact with a mono wave."""
    heard = onsets_s(wave)
    return Offsets(
        tuple(
            min((onset - frame / FPS for onset in heard), key=abs, default=float("inf"))
            for frame in contact_frames(contacts)
        )
    )


def contact_frames(likely: Tensor) -> list[int]:
    """Pick the frames at which contact is likely, one for each landing."""
    padded = [0.0, *(float(one) for one in likely), 0.0]
    return [
        frame
        for frame, (before, now, after) in enumerate(
            zip(padded, padded[1:], padded[2:], strict=False)
        )
        if now > _LIKELY and now >= before and now > after
    ]


_LIKELY = 0.5


def onsets_s(wave: Tensor) -> Sequence[float]:
    """Find when sounds begin: where the spectrum suddenly grows, in seconds."""
    window = torch.hann_window(_WINDOW)
    spectrum = torch.stft(wave, _WINDOW, _HOP, _WINDOW, window, return_complex=True).abs()
    level = torch.log(spectrum[2:].unfold(0, 8, 8).mean(2) + _FLOOR)
    # Over 30 ms, so that a slow attack counts as well.
    growth = (level[:, _LAG:] - level[:, :-_LAG]).clamp(min=0).mean(0)
    peak = torch.nn.functional.max_pool1d(growth[None, None], _APART, 1, _APART // 2)[0, 0]
    is_onset = (growth == peak) & (growth > max(_GROWTH_MIN, _SHARE * float(growth.max())))
    # Growth is measured backwards; a beginning lies about in the middle of it.
    return [(int(at) + _LAG / 2) * _HOP / SAMPLE_RATE_HZ for at in is_onset.nonzero()[:, 0]]


_WINDOW, _HOP, _LAG = 512, 160, 3
_APART = 13
_FLOOR = 0.05
_GROWTH_MIN = 0.15
_SHARE = 0.4
