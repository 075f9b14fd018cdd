"""The small model's training: parts become better, and go on from where they were left."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
import torch
from torch import nn

from myriorama.studio.emoji import (
    architecture,
    drawing,
    inverse,
    lessons,
    losses,
    principal,
    scripts,
)
from myriorama.studio.emoji.lessons import Captions, Clips
from myriorama.studio.emoji.principal import Basis
from myriorama.studio.emoji.training import Course, Progress, Step, draw_from, train


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    rng = lot(0)
    return drawing.frames_of([scripts.drawn_script(rng) for _ in range(16)])[0]


@pytest.fixture(scope="module")
def basis(frames: torch.Tensor) -> Basis:
    draw_from(0)
    return principal.fitted(frames, torch.ones_like(frames[:, :, :1]))


def test_the_decoder_begins_as_the_inverse_of_the_code(frames: torch.Tensor, basis: Basis) -> None:
    decoder = architecture.picture_codec().decoder
    patches = frames.reshape(-1, 3, 8, 8, 8, 8).permute(0, 2, 4, 1, 3, 5).reshape(-1, 192)
    some = frames[:4]

    inverse.begin(decoder, basis, patches[:4000])
    with torch.no_grad():
        drawn = decoder(basis.encode(some)).transpose(1, 2)

    codes = basis.encode(some).permute(0, 2, 3, 4, 1) * basis.scales
    linear = codes @ basis.components.T + basis.mean
    linear_error = (linear - principal.blocks(some)).square().mean()
    assert drawn.shape == some.shape
    assert (drawn - some).square().mean() < 1.3 * linear_error


def test_training_goes_on_from_where_it_was_left(
    tmp_path: Path, frames: torch.Tensor, basis: Basis
) -> None:
    course = Course(
        "transformer", 1e9, 1e-3, tmp_path, rate_orthogonal=2e-3, average=0.5, save_every_s=0
    )
    told: list[Progress] = []

    def trained_until_stopped(steps: int) -> dict[str, nn.Module]:
        parts = lesson_parts()
        lesson = losses.TransformerLesson(
            parts["transformer"], parts["connectors"], *lesson_of(frames, basis)
        )
        with pytest.raises(KeyboardInterrupt):
            train(course, parts, stopped_after(lesson.denoise, steps), told.append)
        return parts

    first = trained_until_stopped(2)
    second = trained_until_stopped(1)

    assert [progress.steps for progress in told] == [1, 2, 3]
    assert not torch.equal(weight_of(lesson_parts()), weight_of(first))
    assert not torch.equal(weight_of(first), weight_of(second))
    assert course.curve.read_text().startswith("steps,seconds,loss,picture,sound")


def test_training_that_is_done_is_not_done_again(tmp_path: Path, basis: Basis) -> None:
    course = Course("picture-encoder", 1e-6, 1e-3, tmp_path)
    codecs = [architecture.picture_codec() for _ in "ab"]
    told: list[Progress] = []

    for codec in codecs:
        lesson = losses.PictureLesson(codec, basis, lot(1))
        train(course, {"encoder": codec.encoder}, lesson.encode, told.append)

    assert [progress.steps for progress in told] == [1]
    first, second = (codec.state_dict() for codec in codecs)
    assert all(torch.equal(first[name], second[name]) for name in first if "encoder" in name)


def lesson_parts() -> dict[str, nn.Module]:
    draw_from(0)
    return {"transformer": architecture.transformer(), "connectors": architecture.connectors()}


def lesson_of(frames: torch.Tensor, basis: Basis) -> tuple[Captions, Clips]:
    """Twelve clips with noise for sound, and noise for captions."""
    count = 12
    seed = torch.Generator().manual_seed(0)
    texts = count * lessons.CAPTIONS_EACH + 1
    captions = Captions(
        torch.randn(texts, 24, 7 * 384, generator=seed), torch.ones(texts, 24, dtype=torch.long)
    )
    clips = Clips(
        torch.arange(count),
        basis.encode(frames[:count]),
        torch.randn(count, 27, 32, generator=seed),
        torch.zeros(count, 5, 4, 4),
    )
    return captions, clips


def stopped_after(step: Step, count: int) -> Step:
    """A step that somebody interrupts when it was taken so many times."""
    left = iter(range(count))

    def taken() -> Mapping[str, torch.Tensor]:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return step()

    return taken


def weight_of(parts: Mapping[str, nn.Module]) -> torch.Tensor:
    weight: torch.Tensor = parts["transformer"].state_dict()["transformer_blocks.0.ff.net.2.weight"]
    return weight


def lot(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - clips are drawn, not secrets
