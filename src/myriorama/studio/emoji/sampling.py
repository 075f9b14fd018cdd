"""Renders prompts with the small model's pipeline: several at once, each from its own seed."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from myriorama.studio.emoji.architecture import SAMPLE_RATE_HZ, TEXT_TOKENS
from myriorama.studio.emoji.drawing import SIDE_PX
from myriorama.studio.emoji.scripts import FPS, FRAMES

STEPS = 20
GUIDANCE = 2.5

Look = Callable[[int, Tensor], None]
"""Hears the step that is done, counted from one, and the latents as they are."""


def sample(
    pipeline: Any,
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    steps: int = STEPS,
    look: Look | None = None,
) -> tuple[Tensor, Tensor]:
    """Return pictures `(clips, FRAMES, 3, px, px)` within [0, 1], and sound `(clips, 2, samples)`.

    What `look` raises stops the render.
    """

    def after_step(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if look is not None:
            look(step + 1, tensors["latents"])
        return {}

    with torch.no_grad():
        rendered = pipeline(
            prompt=list(prompts),
            negative_prompt=[""] * len(prompts),
            height=SIDE_PX,
            width=SIDE_PX,
            num_frames=FRAMES,
            frame_rate=float(FPS),
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            audio_guidance_scale=GUIDANCE,
            stg_scale=0.0,
            audio_stg_scale=0.0,
            modality_scale=1.0,
            audio_modality_scale=1.0,
            guidance_rescale=0.0,
            audio_guidance_rescale=0.0,
            spatio_temporal_guidance_blocks=None,
            max_sequence_length=TEXT_TOKENS,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            output_type="pt",
            callback_on_step_end=after_step,
        )
    return rendered.frames, _without_clicks(rendered.audio)


_FADE_S = 0.02


def _without_clicks(sound: Tensor) -> Tensor:
    """Let sound neither begin nor end all at once."""
    count = round(_FADE_S * SAMPLE_RATE_HZ)
    swell = torch.linspace(0, 1, count)
    envelope = torch.ones(sound.shape[-1])
    envelope[:count], envelope[-count:] = swell, swell.flip(0)
    return sound.float() * envelope
