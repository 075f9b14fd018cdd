"""What a second of video costs on a GPU: the studio against a bare pipeline, in one run.

The architecture is that of LTX-2 at its real size; the weights are random, which costs the same.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from myriorama.studio.diffusion import (
    SIGMAS,
    WITHOUT_GUIDANCE,
    frames_of,
    require,
    require_diffusers,
)
from myriorama.studio.ltx2_model import TOKENS_MAX, LTX2Model
from myriorama.studio.ltx2_sampling import noise_of, sample
from myriorama.studio.renderer import Preview, Scene
from myriorama.studio.tiny_model import byte_tokenizer

SCENE = Scene("a red fox walks through the snow, bells far away", 768, 512, seconds=5, seed=1)
ROUNDS = 5


@dataclass(frozen=True)
class GPURendering:
    """Seconds of a GPU for each second of video with sound; None where there is no GPU."""

    gpu: str | None = None
    gpu_s_per_video_s: float | None = None
    bare_gpu_s_per_video_s: float | None = None
    gpu_memory_peak_gib: float | None = None

    @property
    def figures(self) -> Mapping[str, float | None]:
        """What can be told of it in numbers."""
        return {
            "gpu_s_per_video_s": self.gpu_s_per_video_s,
            "bare_gpu_s_per_video_s": self.bare_gpu_s_per_video_s,
            "render_over_pipeline": self.render_over_pipeline,
            "gpu_memory_peak_gib": self.gpu_memory_peak_gib,
        }

    @property
    def render_over_pipeline(self) -> float | None:
        """How much longer the studio takes than the bare pipeline."""
        if self.gpu_s_per_video_s is None or self.bare_gpu_s_per_video_s is None:
            return None
        return self.gpu_s_per_video_s / self.bare_gpu_s_per_video_s


def measure_on_gpu() -> GPURendering:
    """Measure 768x512, five seconds, eight steps in bf16; without a GPU there are no figures."""
    torch = require("torch")
    if not torch.cuda.is_available():
        return GPURendering()
    with torch.device("cuda"):
        pipeline = real_pipeline(dtype=torch.bfloat16)
    return measured(pipeline, SCENE, rounds=ROUNDS)


def measured(pipeline: Any, scene: Scene, *, rounds: int) -> GPURendering:
    """Render in turn through the studio and through the bare pipeline, which runs uncompiled.

    Each render has a prompt of its own, so that the text encoder runs in both.
    """
    torch = require("torch")
    with TemporaryDirectory(prefix="myriorama-") as kept:
        model = LTX2Model(pipeline, kept=Path(kept), precision="bf16")
        both = [
            [_seconds(model, scene, way, number) for way in (_bare, _ours)]
            for number in range(rounds + 1)
        ]
        bare, ours = zip(*both[1:], strict=True)  # In the first round the blocks are compiled.
    return GPURendering(
        gpu=torch.cuda.get_device_name() if model.has_gpu else None,
        gpu_s_per_video_s=median(ours) / scene.seconds,
        bare_gpu_s_per_video_s=median(bare) / scene.seconds,
        gpu_memory_peak_gib=torch.cuda.max_memory_allocated() / 2**30 if model.has_gpu else None,
    )


def real_pipeline(*, dtype: Any) -> Any:
    """Build LTX-2 at its real size with random weights, on the device of the context."""
    torch, diffusers = require("torch"), require_diffusers()
    ltx2 = require("diffusers.pipelines.ltx2")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return diffusers.LTX2Pipeline(
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
            # The defaults of diffusers are the real sizes, but for what is named.
            transformer=diffusers.LTX2VideoTransformer3DModel(rope_type="split"),
            vae=diffusers.AutoencoderKLLTX2Video(
                decoder_causal=False, spatial_compression_ratio=32, temporal_compression_ratio=8
            ),
            audio_vae=diffusers.AutoencoderKLLTX2Audio(),
            vocoder=ltx2.vocoder.LTX2Vocoder(),
            connectors=ltx2.LTX2TextConnectors(rope_type="split"),
            text_encoder=_gemma_12b(),
            tokenizer=byte_tokenizer(tokens_max=TOKENS_MAX),
        )
    finally:
        torch.set_default_dtype(usual)


def _gemma_12b() -> Any:
    """Gemma 3 as it encodes the prompts of LTX-2; its eyes, which read none, are kept small."""
    transformers = require("transformers")
    text = transformers.Gemma3TextConfig(
        vocab_size=262_208,
        hidden_size=3840,
        intermediate_size=15_360,
        num_hidden_layers=48,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=256,
        sliding_window=1024,
    )
    vision = transformers.SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    config = transformers.Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4
    )
    return transformers.Gemma3ForConditionalGeneration(config).eval()


def _seconds(
    model: LTX2Model, scene: Scene, way: Callable[[LTX2Model, Scene], object], number: int
) -> float:
    """Render one, and return how long the GPU was taken."""
    torch = require("torch")
    wait = torch.cuda.synchronize if model.has_gpu else _nothing
    distinct = replace(scene, prompt=f"{scene.prompt}, {way.__name__} {number}", seed=number)
    wait()
    began_s = time.perf_counter()
    with torch.no_grad():
        way(model, distinct)
    wait()
    return time.perf_counter() - began_s


def _ours(model: LTX2Model, scene: Scene) -> object:
    return sample(model, [scene], _unheard)


def _bare(model: LTX2Model, scene: Scene) -> object:
    with _uncompiled(model):
        return model.text_to_video(
            prompt=scene.prompt,
            width=scene.width,
            height=scene.height,
            num_frames=frames_of(scene),
            frame_rate=float(scene.fps),
            sigmas=list(SIGMAS),
            num_inference_steps=len(SIGMAS),
            generator=noise_of(scene),
            output_type="np",
            max_sequence_length=model.prompts.tokens_max,
            **WITHOUT_GUIDANCE,
        )


def _uncompiled(model: LTX2Model) -> AbstractContextManager[Any]:
    if not model.has_gpu:
        return nullcontext()
    stance: AbstractContextManager[Any] = require("torch").compiler.set_stance("force_eager")
    return stance


def _unheard(_: int, __: int, ___: Preview | None) -> None:
    """Nobody listens to the steps."""


def _nothing() -> None:
    """A CPU is never behind."""
