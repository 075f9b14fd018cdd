"""Trains the classifier of texts, and measures it on what it has not seen.

`python -m myriorama.studio.screening.training FOLDER` writes classifier.npz and CARD.md there. The
same corpus gives the same weights.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myriorama.studio.screening.classifier import FEATURES, INNOCENT, Classifier, Features
from myriorama.studio.screening.folding import fold

CORPUS = Path(__file__).parent / "corpus"

_STEPS = 200
_RATE = 0.05
_DECAY = 5e-6
_FOLDS = 10
THRESHOLD = 0.75

Floats = NDArray[np.float32]
Examples = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Score:
    """How a class was found among texts that the model had not seen, at `THRESHOLD`."""

    texts: int
    precision: float
    recall: float


def corpus(folder: Path = CORPUS) -> Examples:
    """Return the examples, (class, text): a file a class, a line a text."""
    return [
        (file.stem, line)
        for file in sorted(folder.glob("*.txt"))
        for line in file.read_text().splitlines()
        if line.strip()
    ]


def train(examples: Examples) -> Classifier:
    """Fit a softmax over the features, by Adam on all examples at once."""
    classes = (INNOCENT, *sorted({name for name, _ in examples} - {INNOCENT}))
    rows = np.stack([Features.of(fold(text).words).dense() for _, text in examples])
    wanted = np.array([classes.index(name) for name, _ in examples])
    targets = np.eye(len(classes), dtype=np.float32)[wanted]
    # Each class weighs the same, however many examples it has.
    share = (1 / (len(classes) * np.bincount(wanted)))[wanted, None].astype(np.float32)
    rows = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    layers = _Adam(np.zeros((FEATURES + 1, len(classes)), np.float32))
    for _ in range(_STEPS):
        logits = rows @ layers.values
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        slope = rows.T @ ((likely - targets) * share)
        layers.step(np.asarray(slope + _DECAY * layers.values, np.float32))
    return Classifier(classes, layers.values[:-1], layers.values[-1])


def held_out(examples: Examples) -> Mapping[str, Score]:
    """Score every class by cross-validation: each text by a model that has not seen it."""
    found: list[tuple[str, str]] = []
    for fold_number in range(_FOLDS):
        seen = [one for place, one in enumerate(examples) if place % _FOLDS != fold_number]
        model = Classifier.load(train(seen).dump())
        for name, text in examples[fold_number::_FOLDS]:
            found.append((name, _class_of(model, text)))
    return {name: _score(name, found) for name in sorted({name for name, _ in examples})}


def card(examples: Examples, scores: Mapping[str, Score], weights: bytes) -> str:
    """Return what is to be known of the weights, as Markdown."""
    rows = "\n".join(
        f"| {name} | {score.texts} | {score.precision:.2f} | {score.recall:.2f} |"
        for name, score in scores.items()
    )
    return _CARD.format(
        texts=len(examples),
        features=FEATURES,
        steps=_STEPS,
        kilobytes=len(weights) / 1000,
        sha256=sha256(weights).hexdigest(),
        folds=_FOLDS,
        threshold=THRESHOLD,
        rows=rows,
    )


def main(folder: Path) -> None:
    """Train, measure, and write what came of it."""
    examples = corpus()
    weights = train(examples).dump()
    (folder / "classifier.npz").write_bytes(weights)
    (folder / "CARD.md").write_text(card(examples, held_out(examples), weights))


class _Adam:
    def __init__(self, values: Floats) -> None:
        self.values = values
        self._mean = np.zeros_like(values)
        self._square = np.zeros_like(values)
        self._steps = 0

    def step(self, slope: Floats) -> None:
        self._steps += 1
        self._mean = 0.9 * self._mean + 0.1 * slope
        self._square = 0.999 * self._square + 0.001 * slope**2
        mean = self._mean / (1 - 0.9**self._steps)
        square = self._square / (1 - 0.999**self._steps)
        self.values -= np.float32(_RATE) * mean / (np.sqrt(square) + np.float32(1e-8))


def _class_of(model: Classifier, text: str) -> str:
    likely = model.probabilities(fold(text).words)
    refused = {name: p for name, p in likely.items() if name != INNOCENT and p >= THRESHOLD}
    return max(refused, key=lambda name: refused[name], default=INNOCENT)


def _score(name: str, found: Sequence[tuple[str, str]]) -> Score:
    hits = sum(wanted == name == given for wanted, given in found)
    wanted_count = sum(wanted == name for wanted, _ in found)
    given_count = sum(given == name for _, given in found)
    return Score(wanted_count, hits / max(1, given_count), hits / max(1, wanted_count))


_CARD = """\
# The classifier of texts

A linear softmax over {features} hashed features (n-grams of 3 to 5 letters, words, pairs of
words), in numpy, one byte a weight: {kilobytes:.0f} kB, SHA-256 `{sha256}`.

**Data.** {texts} texts, all written for this project, in `corpus/`; a file a class. No text of
anybody else's, no scraped text, no personal data. Licence: as the project, Apache-2.0. Most are
English; other languages have a handful each. **Training.** Adam on all of it at once, {steps}
steps, every class weighed the same: `python -m myriorama.studio.screening.training FOLDER` makes
the same bytes again, if it runs on one thread (`OMP_NUM_THREADS=1`).

**How good it is.** By {folds}-fold cross-validation, at the threshold {threshold} that the policy
sets:

| class | texts | precision | recall |
| --- | ---: | ---: | ---: |
{rows}

So alone it misses more than half of what it should find. It is the last of several checks, and set
so that it seldom refuses wrongly; what it finds are sentences that have none of the listed words.
The corpus is small, and its authors wrote both sides of it: on the texts of strangers it will do
worse than this table. It knows no irony, no context, and next to nothing of languages other than
English. Whoever runs a house with real traffic should train it on refusals and appeals of their
own.
"""

if __name__ == "__main__":
    main(Path(sys.argv[1]))
