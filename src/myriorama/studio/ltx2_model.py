"""Loaded weights of the LTX-2 family: the pipelines that share them, and what is kept of prompts.

Everything that renders with the family takes one of these; nobody loads weights twice.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from myriorama.studio.diffusion import require, require_diffusers
from myriorama.studio.latent_colours import LatentColours
from myriorama.studio.weights import Precision, Weights


class LTX2Model:
    """Weights in memory, on the GPU if there is one; the pipelines over them are made on demand.

    On a CPU the weights are held in 32 bits, unless they are to be held in 8. What is worked out
    about them is kept in the folder `kept`.
    """

    def __init__(
        self, pipeline: Any, *, kept: Path, precision: Precision, upsampler: Any = None
    ) -> None:
        torch, diffusers = require("torch"), require_diffusers()
        self.has_gpu = bool(torch.cuda.is_available())
        self._kept = kept
        # The noise levels are taken as they are given: they are those of the distillation.
        pipeline.scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_config(
            pipeline.scheduler.config, use_dynamic_shifting=False, shift=1.0, shift_terminal=None
        )
        if precision == "fp8":
            # Held in 8 bits, layer by layer made larger for as long as it is computed with.
            pipeline.transformer.enable_layerwise_casting(
                storage_dtype=torch.float8_e4m3fn, compute_dtype=pipeline.dtype
            )
        self.text_to_video: Any = self._place(pipeline)
        if self.has_gpu and precision == "bf16":
            pipeline.transformer.compile_repeated_blocks()
        self.upsample: Any = None
        if upsampler is not None:
            self.upsample = self._place(
                diffusers.LTX2LatentUpsamplePipeline(vae=pipeline.vae, latent_upsampler=upsampler)
            )
        self.prompts = Prompts(pipeline)

    @classmethod
    def load(cls, weights: Weights, *, precision: Precision) -> Self:
        """Load what lies in a folder."""
        torch, diffusers = require("torch"), require_diffusers()
        dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
        pipeline = diffusers.LTX2Pipeline.from_pretrained(
            weights.folder, dtype=dtype, local_files_only=True
        )
        upsampler: Any = None
        if weights.upsamples:
            kind = require("diffusers.pipelines.ltx2.latent_upsampler").LTX2LatentUpsamplerModel
            upsampler = kind.from_pretrained(
                weights.folder, subfolder="latent_upsampler", dtype=dtype, local_files_only=True
            )
        return cls(pipeline, kept=weights.kept, precision=precision, upsampler=upsampler)

    @cached_property
    def image_to_video(self) -> Any:
        """The pipeline that begins with an image."""
        return self._sibling(require_diffusers().LTX2ImageToVideoPipeline)

    @cached_property
    def conditioned(self) -> Any:
        """The pipeline that goes on from footage, and ends with an image."""
        return self._sibling(require_diffusers().LTX2ConditionPipeline)

    @cached_property
    def colours(self) -> LatentColours:
        """How latents look, for previews."""
        return LatentColours.of(self.text_to_video, kept=self._kept)

    @property
    def sample_rate_hz(self) -> int:
        """Of the sound that comes out."""
        return int(self.text_to_video.vocoder.config.output_sampling_rate)

    def latent_shape(self, width: int, height: int, frames: int) -> tuple[int, int, int]:
        """Frames, rows and columns of the latents of a clip."""
        pipeline = self.text_to_video
        side, length = (
            pipeline.vae_spatial_compression_ratio,
            pipeline.vae_temporal_compression_ratio,
        )
        return (frames - 1) // length + 1, height // side, width // side

    def decode_in_tiles(self, width: int, height: int, frames: int) -> None:
        """Have large clips decoded piece by piece, so that they fit; others are quicker whole."""
        if self.has_gpu and width * height * frames > _WHOLE_PIXELS_MAX:
            self.text_to_video.vae.enable_tiling()
        else:
            self.text_to_video.vae.disable_tiling()

    def _sibling(self, kind: Any) -> Any:
        return self._place(kind(**self.text_to_video.components))

    def _place(self, pipeline: Any) -> Any:
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to("cuda" if self.has_gpu else "cpu")


_WHOLE_PIXELS_MAX = 120_000_000
"""Width times height times frames: about 13 seconds of 480p, or 5 of 720p."""


TOKENS_MAX = 1024
"""What is longer of a prompt is not read."""


class Prompts:
    """What the text encoder makes of prompts, kept for those that were used last.

    The encoder is the largest part after the transformer, and its answer never changes: remakes,
    re-rolled shots and retries need not ask again. Only the tokens of the prompt are kept, since
    nobody looks at the padding. Each prompt is encoded alone, so that the company it is rendered
    in makes no difference.
    """

    def __init__(self, pipeline: Any, *, bytes_max: int = 2 * 2**30) -> None:
        self._pipeline = pipeline
        self._bytes_max = bytes_max
        # Tokenizers may say that they know no limit; the models were trained with this one.
        self.tokens_max = min(TOKENS_MAX, int(pipeline.tokenizer_max_length))
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def encoded(self, prompts: Sequence[str]) -> dict[str, Any]:
        """Return the arguments that stand for the prompts in a call of a pipeline."""
        torch = require("torch")
        tokens = [self._tokens(prompt) for prompt in prompts]
        length = self.tokens_max
        embeds = torch.zeros((len(tokens), length, tokens[0].shape[-1]), dtype=tokens[0].dtype)
        mask = torch.zeros((len(tokens), length), dtype=torch.int64)
        for row, kept in enumerate(tokens):  # To the right: that is how prompts are padded.
            embeds[row, length - len(kept) :] = kept
            mask[row, length - len(kept) :] = 1
        device = self._pipeline.transformer.device
        return {"prompt_embeds": embeds.to(device), "prompt_attention_mask": mask.to(device)}

    def _tokens(self, prompt: str) -> Any:
        if prompt in self._kept:
            self._kept.move_to_end(prompt)
            return self._kept[prompt]
        with require("torch").no_grad():
            embeds, mask, _, __ = self._pipeline.encode_prompt(
                prompt,
                do_classifier_free_guidance=False,
                max_sequence_length=self.tokens_max,
            )
        tokens = embeds[0][mask[0].bool()].cpu()
        self._kept[prompt] = tokens
        while len(self._kept) > 1 and self._kept_bytes() > self._bytes_max:
            self._kept.popitem(last=False)
        return tokens

    def _kept_bytes(self) -> int:
        return sum(int(tokens.nbytes) for tokens in self._kept.values())
