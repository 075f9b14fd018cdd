"""Examples: what was known of each exposure when its slate was made, and what followed of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.heads import HEAD_INDEX

Matrix = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """One exposure a row, in the order of time; `slate` numbers the slates from 0.

    `features` are those of stage 2, with the relative ones behind the others; `labels` are
    (exposures, heads), whether each head's action followed.
    """

    features: Matrix
    slate: Numbers
    viewer: NDArray[np.int32]
    at_ms: Numbers
    duration_ms: NDArray[np.int32]
    labels: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.slate)

    def label(self, head: str) -> NDArray[np.bool_]:
        """Return the label of one head."""
        return self.labels[:, HEAD_INDEX[head]]

    def take(self, rows: NDArray[Any]) -> "Examples":
        """Return some of the rows; their slates are numbered anew."""
        return Examples(
            features=self.features[rows],
            slate=numbered(self.slate[rows]),
            viewer=self.viewer[rows],
            at_ms=self.at_ms[rows],
            duration_ms=self.duration_ms[rows],
            labels=self.labels[rows],
        )


def numbered(slates: Numbers) -> Numbers:
    """Return the numbers of slates without gaps, in the order they first had."""
    return np.unique(slates, return_inverse=True)[1].astype(np.int64)


def mixed(label: NDArray[np.bool_], slates: Numbers) -> NDArray[np.bool_]:
    """Tell which rows are of slates in which a label is both true and false."""
    counts = np.bincount(slates)
    positives = np.bincount(slates, weights=label)
    return ((positives > 0) & (positives < counts))[slates]
