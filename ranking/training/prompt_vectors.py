"""Makes the prompt vectors: what a language model reads in prompts, put down as a vector a token.

The language model is asked for the vectors of single tokens and of made-up prompts; then those rows
are sought whose sums come nearest to its answers (ridge regression towards the single tokens).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats  # type: ignore[import-untyped] # scipy has no types
from sklearn import cluster  # type: ignore[import-untyped] # nor has scikit-learn
from tokenizers import Tokenizer

from ranking.embedding import SCALE_MAX, TOPICS, WIDTH, PromptVectors
from ranking.training.prompts import prompts, prompts_about, words_of

Read = Callable[[Sequence[str]], NDArray[np.float32]]
"""The language model: texts in, rows of length one out."""

Matrix = NDArray[np.float64]

Sparse = Any
"""A sparse matrix of scipy, which says nothing of its types."""


class Corpus(NamedTuple):
    """How much is read: prompts of the lists, and how often each word of the vocabulary is said."""

    prompts: int = 12_000
    times: int = 3


def make(  # noqa: PLR0913 - what it is made of, where to, and what it is told
    read: Read,
    tokenizer_file: Path,
    folder: Path,
    held_out: Sequence[str],
    *,
    corpus: Corpus = Corpus(),  # noqa: B008 - a tuple, which nobody changes
    tell: Callable[[str], None] = print,
) -> Mapping[str, float]:
    """Write the vectors into a folder, and return how near they come to the model on other texts.

    Args:
        read: the language model.
        tokenizer_file: its tokenizer.
        folder: where to; what is there of an earlier make is replaced.
        held_out: prompts that people wrote, of which nothing is learned.
        corpus: how much to read.
        tell: called with what is being done.
    """
    tokenizer = _tokenizer(tokenizer_file)
    vocabulary = [tokenizer.id_to_token(n) or "" for n in range(tokenizer.get_vocab_size())]
    tell(f"reading {len(vocabulary)} tokens")
    tokens = read(vocabulary).astype(np.float64)
    words = words_of(vocabulary)
    texts = [*prompts(corpus.prompts, seed=1), *prompts_about(words, corpus.times, seed=3)]
    tell(f"reading {len(texts)} prompts")
    read_texts = read(texts).astype(np.float64)
    tell("seeking rows")
    rows = _seek(_counts(tokenizer, texts), read_texts, tokens, _speaking(vocabulary))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    _store_rows(rows, folder)
    np.save(folder / "topics.npy", np.zeros((TOPICS, WIDTH), np.int8))
    tell("seeking topics")
    vectors = PromptVectors.load(folder)
    np.save(folder / "topics.npy", _centroids(vectors.embed(texts[: corpus.prompts])))
    figures = agreement(PromptVectors.load(folder).embed(held_out), read(held_out))
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def agreement(
    ours: NDArray[np.float32], theirs: NDArray[np.float32], *, nearest: int = 10
) -> dict[str, float]:
    """Compare two sets of vectors of the same texts.

    Returns:
        `spearman` of the cosines of all pairs; `shared`: which part of the nearest texts of a text
        is the same; `found`: how often the very nearest of theirs is among our nearest.
    """
    pairs = np.triu_indices(len(ours), 1)
    cosines = [vectors @ vectors.T for vectors in (ours.astype(float), theirs.astype(float))]
    correlation: Any = _STATS.spearmanr(cosines[0][pairs], cosines[1][pairs])
    orders = [np.argsort(-(c - 9 * np.eye(len(c))), axis=1)[:, :nearest] for c in cosines]
    both = list(zip(*orders, strict=True))
    shared = np.mean([len({*mine} & {*other}) / nearest for mine, other in both])
    found = np.mean([other[0] in mine for mine, other in both])
    return {
        "texts": float(len(ours)),
        "spearman": round(float(correlation.statistic), 4),
        "shared": round(float(shared), 4),
        "found": round(float(found), 4),
    }


_SPARSE, _STATS, _CLUSTER = (cast("Any", module) for module in (sparse, stats, cluster))

_RIDGE = 0.1
_FREQUENT = 1e-3  # the share of all tokens from which on a token counts for less than half
_STEPS = 40
_SHARDS = 2


def _tokenizer(file: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _speaking(vocabulary: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which tokens say anything: neither marks nor signs."""
    return np.array(
        [
            not token.startswith("[") and any(c.isalnum() for c in token.removeprefix("##"))
            for token in vocabulary
        ]
    )


def _counts(tokenizer: Tokenizer, texts: Sequence[str]) -> Sparse:
    encoded = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    lengths = [len(ids) for ids in encoded]
    columns = np.concatenate([np.asarray(ids, np.int64) for ids in encoded])
    return _SPARSE.csr_array(
        (np.ones(len(columns)), columns, np.cumsum([0, *lengths])),
        (len(texts), tokenizer.get_vocab_size()),
    )


def _seek(
    counts: Sparse, read: Matrix, tokens: Matrix, speaking: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the rows: those of the tokens by themselves, drawn to what the prompts say.

    Tokens are weighed as by SIF; how frequent one is, its rank in the vocabulary tells (Zipf).
    """
    about = read - read.mean(axis=0)
    _, axes = np.linalg.eigh(about.T @ about)
    axes = axes[:, ::-1][:, :WIDTH]
    frequency = 1 / np.arange(1.0, len(tokens) + 1)
    weights = _FREQUENT / (_FREQUENT + frequency / frequency.sum()) * speaking
    alone = (tokens - tokens[speaking].mean(axis=0)) @ axes * weights[:, None]
    # A text's length is to say little about the length of its sum.
    means: Sparse = (
        _SPARSE.diags_array(1 / np.sqrt(np.asarray(counts.sum(axis=1)).ravel())) @ counts
    )
    wanted = about @ axes
    sums = means @ alone
    scale = np.median((sums * wanted).sum(axis=1) / np.maximum((sums * sums).sum(axis=1), 1e-9))
    return _ridge(means, wanted, alone * scale) * speaking[:, None]


def _ridge(given: Sparse, wanted: Matrix, towards: Matrix) -> Matrix:
    """Solve for each column by conjugate gradients: |given x - wanted|^2 + r |x - towards|^2."""
    square: Sparse = (given.T @ given).tocsr()
    solution: Matrix = towards.copy()
    rest: Matrix = given.T @ wanted - square @ towards
    direction: Matrix = rest.copy()
    before: Matrix = (rest * rest).sum(axis=0)
    for _ in range(_STEPS):
        ahead: Matrix = square @ direction + _RIDGE * direction
        step = before / np.maximum((direction * ahead).sum(axis=0), 1e-30)
        solution += step * direction
        rest -= step * ahead
        after: Matrix = (rest * rest).sum(axis=0)
        direction = rest + after / np.maximum(before, 1e-30) * direction
        before = after
    return solution


def _store_rows(rows: Matrix, folder: Path) -> None:
    """Write bytes and a scale a row, in files that are small enough for any repository."""
    largest = np.abs(rows).max(axis=1)
    scales = np.rint(largest / largest.max() * SCALE_MAX).astype(np.int16)
    unit = largest.max() / SCALE_MAX / 127
    steps = np.rint(rows / np.maximum(scales[:, None] * unit, 1e-30)).clip(-127, 127)
    steps[scales == 0] = 0
    for shard in range(_SHARDS):
        part = slice(shard * len(rows) // _SHARDS, (shard + 1) * len(rows) // _SHARDS)
        np.savez_compressed(
            folder / f"vectors-{shard + 1:05}-of-{_SHARDS:05}.npz",
            steps=steps[part].astype(np.int8),
            scales=scales[part],
        )


def _centroids(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    clusters: Any = _CLUSTER.KMeans(TOPICS - 1, random_state=0)
    means: Matrix = clusters.fit(vectors).cluster_centers_
    means = means / np.linalg.norm(means, axis=1, keepdims=True)
    steps: NDArray[np.int8] = np.rint(np.vstack([np.zeros(WIDTH), means]) * 127).astype(np.int8)
    return steps
