"""Prompt vectors: what a text is about, in 128 numbers, read without any neural network.

A text's vector is the sum of its tokens' vectors, made of length one. All sums are of integers, and
what is rounded is rounded once, by operations that IEEE 754 defines: the same text has the same
vector to the last bit, on any machine. `models/prompt-vectors-1/CARD.md` says how they were made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

MODEL = "prompt-vectors-1"
WIDTH = 128
TOPICS = 256
"""How many topics there are; topic 0 is that of texts which say nothing that is understood."""

TOKENS_MAX = 256
"""So many tokens of a text count, those at its beginning."""

SCALE_MAX = 4095
"""The largest scale of a token's row: no sum of `TOKENS_MAX` rows overflows, nor its square."""


class VectorsUnreadable(Exception):
    """The folder does not hold what prompt vectors are made of; the message says what is wrong."""


@dataclass(frozen=True)
class PromptVectors:
    """Reads prompts and captions; may be shared by threads."""

    tokenizer: Tokenizer
    rows: NDArray[np.int32]
    """`(vocabulary, WIDTH)`: what each token adds."""

    centroids: NDArray[np.float32]
    """`(WIDTH, TOPICS)`: whole numbers, so that products are exact in any order of adding."""

    digest: str
    """The SHA-256 of the files they were read from."""

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read the vectors in a folder, by default those that come with the program.

        Raises:
            VectorsUnreadable: they are not there, or not whole.
        """
        folder = folder or shipped_folder()
        try:
            return cls(
                Tokenizer.from_file(str(folder / "tokenizer.json")),
                _rows(folder),
                np.load(folder / "topics.npy").T.astype(np.float32),
                _digest(folder),
            )
        except Exception as error:  # the tokenizers library raises nothing narrower
            raise VectorsUnreadable(
                f"No prompt vectors can be read in {folder}: {error}"
            ) from error

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return `(texts, WIDTH)`: rows of length one, or of zeros where nothing is understood."""
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        tokens = [self._tokens(text) for text in texts]
        spoken = [index for index, ids in enumerate(tokens) if ids]
        if not spoken:
            return vectors
        ids = np.concatenate([np.asarray(tokens[index], np.intp) for index in spoken])
        starts = np.cumsum([0, *(len(tokens[index]) for index in spoken[:-1])])
        sums = np.add.reduceat(self.rows[ids], starts, axis=0, dtype=np.int64)
        lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums).astype(np.float64))
        vectors[spoken] = sums / np.maximum(lengths, 1.0)[:, None]
        return vectors

    def topics(self, vectors: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the topic of each row that `embed` returned: the nearest of fixed centroids."""
        near = np.rint(vectors * np.float32(_STEPS)) @ self.centroids
        near[:, 0] = -np.inf
        topics: NDArray[np.int32] = near.argmax(axis=1).astype(np.int32)
        topics[~vectors.any(axis=1)] = 0
        return topics

    def _tokens(self, text: str) -> list[int]:
        legible = text[:_CHARACTERS_MAX].encode("utf-8", "replace").decode()
        encoding = self.tokenizer.encode(legible, add_special_tokens=False)
        return encoding.ids[:TOKENS_MAX]


def shipped_folder() -> Path:
    """Where the vectors lie that come with the program: in its package, or in its repository."""
    repository = Path(__file__).resolve().parents[1]
    installed = repository / "myriorama" / "models" / MODEL
    return installed if installed.exists() else repository / "models" / MODEL


_STEPS = 16384.0
_CHARACTERS_MAX = 4096


def _rows(folder: Path) -> NDArray[np.int32]:
    shards = [np.load(path) for path in sorted(folder.glob("vectors-*.npz"))]
    steps = np.concatenate([shard["steps"] for shard in shards])
    scales = np.concatenate([shard["scales"] for shard in shards])
    return steps.astype(np.int32) * scales.astype(np.int32)[:, None]


def _digest(folder: Path) -> str:
    total = sha256()
    for path in sorted([*folder.glob("*.np[yz]"), folder / "tokenizer.json"]):
        total.update(f"{path.name}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()
