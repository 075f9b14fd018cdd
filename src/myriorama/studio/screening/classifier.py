"""A small classifier of texts: a linear model over hashed n-grams, in numpy alone.

It reads a long text through a window of some words at a time, so that a sentence weighs the same
alone and among others. `training.py` makes its weights; CARD.md says how good they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

INNOCENT = "innocent"
"""The class of what is no class's."""

FEATURES = 2**13
WINDOW_WORDS = 14
_STRIDE_WORDS = 5
_LETTERS = (3, 4, 5)
_FACTOR = np.uint32(0x9E3779B1)

Floats = NDArray[np.float32]


class WeightsInvalid(ValueError):
    """The weights are not those of a classifier of this shape."""


@dataclass(frozen=True)
class Features:
    """The n-grams of a text, by the word at which they begin."""

    buckets: NDArray[np.intp]
    places: NDArray[np.intp]
    words: int

    @classmethod
    def of(cls, words: Sequence[str]) -> "Features":
        """Return the n-grams of letters, the words, and the pairs of words."""
        if not words:
            return cls(np.zeros(0, np.intp), np.zeros(0, np.intp), 0)
        points = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le"), np.uint32)
        place_of_letter = np.cumsum(points == ord(" "), dtype=np.intp) - 1
        place_of_letter = np.minimum(place_of_letter, len(words) - 1)
        hashes = [_grams(points, length) for length in _LETTERS]
        places = [place_of_letter[: len(gram)] for gram in hashes]
        single = np.array([crc32(word.encode()) for word in words], np.uint32)
        hashes += [_mixed(single, 1), _mixed(single[:-1] * _FACTOR + single[1:], 2)]
        places += [np.arange(len(words)), np.arange(len(words) - 1)]
        buckets = np.concatenate(hashes) % np.uint32(FEATURES)
        return cls(buckets.astype(np.intp), np.concatenate(places), len(words))

    def dense(self) -> Floats:
        """Return the whole text as one row: how often it has each feature, by its length."""
        row = np.bincount(self.buckets, minlength=FEATURES).astype(np.float32)
        return row / np.float32(np.sqrt(max(1, len(self.buckets))))


@dataclass(frozen=True)
class Classifier:
    """Says how likely a text is of which class."""

    classes: tuple[str, ...]
    weights: Floats
    bias: Floats

    @classmethod
    def load(cls, content: bytes) -> "Classifier":
        """Read what `dump` wrote.

        Raises:
            WeightsInvalid: they are of another shape, or no weights at all.
        """
        try:
            with np.load(BytesIO(content), allow_pickle=False) as arrays:
                classes = tuple(str(name) for name in arrays["classes"])
                scale = arrays["scale"].astype(np.float32)
                weights = arrays["weights"].astype(np.float32) * scale
                bias = arrays["bias"].astype(np.float32)
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise WeightsInvalid(f"no weights of a classifier: {error}") from error
        if weights.shape != (FEATURES, len(classes)) or bias.shape != (len(classes),):
            raise WeightsInvalid(f"weights of another shape: {weights.shape}")
        if not np.isfinite(weights).all() or not np.isfinite(bias).all():
            raise WeightsInvalid("weights that are no numbers")
        return cls(classes, weights, bias)

    def dump(self) -> bytes:
        """Write the weights, each in one byte."""
        scale = np.abs(self.weights).max(axis=0) / 127
        file = BytesIO()
        np.savez_compressed(
            file,
            classes=np.array(self.classes),
            scale=scale,
            weights=np.rint(self.weights / scale).astype(np.int8),
            bias=self.bias,
        )
        return file.getvalue()

    def probabilities(self, words: Sequence[str]) -> Mapping[str, float]:
        """Return by class how likely it is where the text is most likely of it."""
        features = Features.of(words)
        if not features.words:
            return dict.fromkeys(self.classes, 0.0)
        logits = self._windows(features)
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return dict(zip(self.classes, map(float, likely.max(axis=0)), strict=True))

    def _windows(self, features: Features) -> Floats:
        """Return the logits of all windows, each of which overlaps the next one."""
        by_word = np.zeros((features.words + 1, len(self.classes) + 1), np.float32)
        for column in range(len(self.classes)):
            weighed = self.weights[features.buckets, column]
            by_word[1:, column] = np.bincount(features.places, weighed, features.words)
        by_word[1:, -1] = np.bincount(features.places, minlength=features.words)
        sums = by_word.cumsum(axis=0, dtype=np.float64)
        overlap = WINDOW_WORDS - _STRIDE_WORDS
        first = np.arange(0, max(1, features.words - overlap), _STRIDE_WORDS)
        last = np.minimum(first + WINDOW_WORDS, features.words)
        within = sums[last] - sums[first]
        logits = within[:, :-1] / np.sqrt(np.maximum(within[:, -1:], 1)) + self.bias
        return np.asarray(logits, np.float32)


def _grams(points: NDArray[np.uint32], length: int) -> NDArray[np.uint32]:
    count = max(0, len(points) - length + 1)
    grams = np.zeros(count, np.uint32)
    for offset in range(length):
        grams = grams * _FACTOR + points[offset : offset + count]
    return _mixed(grams, length)


def _mixed(hashes: NDArray[np.uint32], kind: int) -> NDArray[np.uint32]:
    mixed = (hashes ^ np.uint32(kind * 0x85EB)) * np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))
