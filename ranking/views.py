"""A stretch of the view log as columns, as the state of the ranking folds it.

IDs are their 16 bytes (dtype V16). Rows are ordered by position, which both parts share.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IDs = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Viewings:
    """What apps reported as watched until now, one report a row."""

    position: NDArray[np.int64]
    at_ms: NDArray[np.int64]
    viewer: IDs
    video: IDs
    decision: IDs
    watched_ms: NDArray[np.int32]
    loops: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Slates:
    """Pages that were served, one a row; `videos` are all their IDs, `counts` how many of each.

    `before` is where in the feed the page began, -1 at the top.
    """

    position: NDArray[np.int64]
    at_ms: NDArray[np.int64]
    decision: IDs
    viewer: IDs
    feed: list[str]
    before: NDArray[np.int64]
    counts: NDArray[np.int32]
    videos: IDs


@dataclass(frozen=True, slots=True)
class ViewColumns:
    """A stretch of the view log."""

    viewings: Viewings
    slates: Slates
