"""The whole training of the small model, stage by stage; each goes on from where it was left."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from myriorama.studio.emoji import (
    drawing,
    inverse,
    lessons,
    losses,
    pipeline,
    principal,
    scripts,
    sounding,
)
from myriorama.studio.emoji.lessons import Captions, Clips
from myriorama.studio.emoji.principal import Basis
from myriorama.studio.emoji.training import Course, Progress, Report, draw_from, train


@dataclass(frozen=True)
class Plan:
    """How much is spent on what. The shares of `minutes` are those that served on one core."""

    minutes: float
    folder: Path
    device: str = "cpu"
    together: int = losses.TOGETHER
    clips: int = 12_000
    blocks_clips: int = 960
    seed: int = 0

    def course(self, part: str, share: float, rate: float, *, orthogonal: float = 0.0) -> Course:
        seconds = self.minutes * 60 * share
        return Course(part, seconds, rate, self.folder, rate_orthogonal=orthogonal)


def train_model(plan: Plan, report: Report) -> Mapping[str, Any]:
    """Train all parts; returns them, ready to be saved. Called again, it goes on.

    What is kept lies in `plan.folder`, which can be thrown away afterwards.
    """
    torch.set_flush_denormal(True)
    plan.folder.mkdir(parents=True, exist_ok=True)
    draw_from(plan.seed)
    parts = {name: part.to(plan.device) for name, part in pipeline.new_parts(plan.seed).items()}
    basis = _basis(plan)
    _train_picture_codec(plan, parts["vae"], basis, report)
    _train_sound(plan, parts["audio_vae"], parts["vocoder"], report)
    clips = _clips(plan, basis, parts["audio_vae"], report)
    _train_transformer(plan, parts, clips, report)
    return {name: part.cpu() for name, part in parts.items()}


def _basis(plan: Plan) -> Basis:
    path = plan.folder / "basis.pt"
    if path.exists():
        return Basis(**torch.load(path))
    frames, actors = _drawn(plan.blocks_clips, plan.seed + 1)
    basis = principal.fitted(frames, actors)
    _keep(path, basis.__dict__)
    return basis


def _drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
    rng = Random(seed)  # noqa: S311  # Draws clips, not secrets.
    drawn = [
        drawing.frames_of([scripts.drawn_script(rng) for _ in range(min(16, count - first))])
        for first in range(0, count, 16)
    ]
    return torch.cat([frames for frames, _ in drawn]), torch.cat([actors for _, actors in drawn])


def _train_picture_codec(plan: Plan, codec: Any, basis: Basis, report: Report) -> None:
    decoder = plan.course("picture-decoder", 0.2, 5e-4)
    if not decoder.state.exists():
        inverse.begin(codec.decoder.cpu(), basis, _patches(plan))
        codec.decoder.to(plan.device)
    there = Basis(**_moved(basis, plan.device))
    lesson = losses.PictureLesson(codec, there, Random(plan.seed + 2))  # noqa: S311
    train(decoder, {"decoder": codec.decoder}, lesson.decode, report)
    encoder = plan.course("picture-encoder", 0.05, 1e-3)
    train(encoder, {"encoder": codec.encoder}, lesson.encode, report)


def _patches(plan: Plan) -> Tensor:
    frames, _ = _drawn(64, plan.seed + 3)
    side = drawing.SIDE_PX // 8
    patches = frames.reshape(-1, 3, side, 8, side, 8).permute(0, 2, 4, 1, 3, 5).reshape(-1, 192)
    return patches[torch.randperm(len(patches))[:20_000]]


def _train_sound(plan: Plan, codec: Any, vocoder: Any, report: Report) -> None:
    rng = Random(plan.seed + 4)  # noqa: S311  # Draws clips, not secrets.
    waves = torch.cat(
        [
            sounding.waves_of([scripts.drawn_script(rng) for _ in range(64)])
            for _ in range(max(1, plan.clips // 320))
        ]
    )
    mels = torch.cat([sounding.mel_of(some)[:, :1] for some in torch.split(waves, 64)])
    waves, mels = waves.to(plan.device), mels.to(plan.device)
    spectrograms = plan.course("sound-codec", 0.05, 1e-3)
    train(spectrograms, {"codec": codec}, partial(losses.sound_lesson, codec, mels), report)
    _normalise(codec.eval(), mels[:512])
    course = plan.course("vocoder", 0.08, 8e-4)
    heard = _through(codec, mels)
    lesson = partial(losses.vocoder_lesson, vocoder, waves[: len(heard)], heard)
    train(course, {"vocoder": vocoder}, lesson, report)


def _normalise(codec: Any, mels: Tensor) -> None:
    """Find how latents are spread, which the pipeline undoes."""
    with torch.no_grad():
        codes = torch.cat(
            [codec.encode(_stereo(some)).latent_dist.mean for some in torch.split(mels, 32)]
        )
    packed = codes.transpose(1, 2).flatten(2, 3)
    codec.latents_mean.copy_(packed.mean((0, 1)))
    codec.latents_std.copy_(packed.std((0, 1)))


def _through(codec: Any, mels: Tensor) -> Tensor:
    """Pass half of the spectrograms through the codec, as the vocoder will get them."""
    told: list[Tensor] = []
    with torch.no_grad():
        for some in torch.split(mels[len(mels) // 2 :], 32):
            codes = codec.encode(_stereo(some)).latent_dist.mean
            back = codec.decode(codes, return_dict=False)[0][:, :1]
            told.append(torch.cat([back, some[:, :, back.shape[2] :]], 2)[:, :, : some.shape[2]])
    return torch.cat([mels[: len(mels) // 2], *told])


def _stereo(mels: Tensor) -> Tensor:
    return mels.expand(-1, 2, -1, -1).contiguous()


def _clips(plan: Plan, basis: Basis, codec: Any, report: Report) -> tuple[Clips, Captions]:
    path = plan.folder / "clips.pt"
    if not path.exists():

        def tell(done: int, total: int) -> None:
            report(Progress("clips", done / total, done, {}))

        made = lessons.clips(basis, codec.cpu(), count=plan.clips, seed=plan.seed + 5, report=tell)
        _keep(path, made.__dict__)
    captions = plan.folder / "captions.pt"
    if not captions.exists():
        read = lessons.captions(lessons.trained_casts(), plan.seed + 6)
        _keep(captions, read.__dict__)
    return (
        Clips(**torch.load(path, map_location=plan.device)),
        Captions(**torch.load(captions, map_location=plan.device)),
    )


def _train_transformer(
    plan: Plan, parts: Mapping[str, Any], made: tuple[Clips, Captions], report: Report
) -> None:
    clips, captions = made
    modules: dict[str, nn.Module] = {
        name: parts[name].train() for name in ("transformer", "connectors")
    }
    lesson = losses.TransformerLesson(
        parts["transformer"], parts["connectors"], captions, clips, together=plan.together
    )
    course = plan.course("transformer", 0.62, 1e-3, orthogonal=2e-3)
    with _attention_by_products():
        train(course, modules, lesson.denoise, report)


def _attention_by_products() -> AbstractContextManager[object]:
    """Attend by plain matrix products: of so few tokens that is quicker than flash attention."""
    return sdpa_kernel([SDPBackend.MATH])  # pyright: ignore[reportUnknownVariableType] - torch leaves it untyped


def _moved(basis: Basis, device: str) -> dict[str, Tensor]:
    return {name: tensor.to(device) for name, tensor in basis.__dict__.items()}


def _keep(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a file that is there whole or not at all."""
    partial_ = path.with_suffix(".partial")
    torch.save(dict(tensors), partial_)
    partial_.replace(path)
