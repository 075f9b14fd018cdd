"""A stretch of the view log as columns: what feeds served, and what was watched of it.

IDs are the 16 bytes of each UUID, behind one another. Rows are in the order of their positions,
which the two tables share.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ViewingColumns(NamedTuple):
    """What apps reported as watched until then."""

    position: NDArray[np.int64]
    at_ms: NDArray[np.int64]
    viewers: bytes
    videos: bytes
    decisions: bytes
    watched_ms: NDArray[np.int32]
    loops: NDArray[np.int32]


class SlateColumns(NamedTuple):
    """Pages that were served; `videos` holds `counts[n]` IDs of page n, from the first on."""

    position: NDArray[np.int64]
    at_ms: NDArray[np.int64]
    decisions: bytes
    viewers: bytes
    feeds: Sequence[str]
    counts: NDArray[np.int32]
    videos: bytes


class ViewColumns(NamedTuple):
    """Both tables of a stretch of the log."""

    viewings: ViewingColumns
    slates: SlateColumns
