"""What a source found, and how the best of it that was not seen is picked."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.query import Resolved, Serials
from ranking.seen import is_recent
from ranking.state import State

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


class Found(NamedTuple):
    """Videos, each once, best first, and how strongly the source speaks for each."""

    serials: Serials
    strength: Floats


NOTHING = Found(np.zeros(0, np.int32), np.zeros(0, np.float32))


class Shown(NamedTuple):
    """What a loop asks to leave out what is not live any more, or was seen by the viewer.

    `pending` is sorted; `seen` and `ordered` are the viewer's block.
    """

    live: Flags
    pending: Serials
    seen: NDArray[np.uint32]
    ordered: int
    as_of_s: int


class Best(NamedTuple):
    """The best so far, as a heap: what would go first is at the top."""

    serials: Serials
    strength: NDArray[np.float64]

    @classmethod
    def of(cls, limit: int) -> "Best":
        """Return room for so many."""
        return cls(np.empty(limit, np.int32), np.empty(limit))

    def first(self, count: int) -> Found:
        """Return what is there once it is sorted."""
        return Found(self.serials[:count], self.strength[:count].astype(np.float32))


def best(
    state: State, query: Resolved, serials: Serials, strength: NDArray[np.floating], limit: int
) -> Found:
    """Return the strongest that are live and were not seen; of equals, the newest first.

    A filter would drop the others anyway, but they would have taken up the source's quota.
    """
    if not len(serials) or limit < 1:
        return NOTHING
    kept = Best.of(min(limit, len(serials)))
    videos = np.ascontiguousarray(serials, np.int32)
    strengths = np.ascontiguousarray(strength, np.float64)
    return kept.first(_best(shown(state, query), kept, videos, strengths))


def shown(state: State, query: Resolved) -> Shown:
    """Return what a source leaves out for a query."""
    block = state.histories.block(query.viewer)
    pending = np.sort(query.pending)
    return Shown(state.videos.live, pending, block.rows, block.ordered, query.as_of_ms // 1000)


@compiled
def is_open(asked: Shown, video: int) -> bool:
    """Tell whether a video is live and was not seen."""
    if not 0 <= video < len(asked.live) or not asked.live[video]:
        return False
    place = np.searchsorted(asked.pending, video)
    if place < len(asked.pending) and asked.pending[place] == video:
        return False
    return not is_recent(asked.seen, asked.ordered, video, asked.as_of_s)


@compiled
def offer(kept: Best, count: int, video: int, strength: float) -> int:
    """Take a video among the best, of which so many are there, for a worse one if all are."""
    serials, strengths = kept
    if count < len(serials):
        at = count
        while at > 0:
            above = (at - 1) >> 1
            if not _is_worse(strength, video, strengths[above], serials[above]):
                break
            strengths[at], serials[at] = strengths[above], serials[above]
            at = above
        strengths[at], serials[at] = strength, video
        return count + 1
    if _is_worse(strengths[0], serials[0], strength, video):
        _sink(kept, count, video, strength)
    return count


@compiled
def sort(kept: Best, count: int) -> int:
    """Put the best in order, best first."""
    serials, strengths = kept
    for last in range(count - 1, 0, -1):
        strength, video = strengths[last], serials[last]
        strengths[last], serials[last] = strengths[0], serials[0]
        _sink(kept, last, video, strength)
    return count


@compiled
def _is_worse(strength: float, video: int, other: float, other_video: int) -> bool:
    return strength < other or (strength == other and video < other_video)


@compiled
def _sink(kept: Best, count: int, video: int, strength: float) -> None:
    """Put a video in the place of the worst."""
    serials, strengths = kept
    at = 0
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        right = below + 1
        if right < count and _is_worse(
            strengths[right], serials[right], strengths[below], serials[below]
        ):
            below = right
        if not _is_worse(strengths[below], serials[below], strength, video):
            break
        strengths[at], serials[at] = strengths[below], serials[below]
        at = below
    strengths[at], serials[at] = strength, video


@compiled
def _best(asked: Shown, kept: Best, serials: Serials, strength: NDArray[np.float64]) -> int:
    count = 0
    for place in range(len(serials)):
        video, value = serials[place], strength[place]
        is_full = count == len(kept.serials)
        if is_full and _is_worse(value, video, kept.strength[0], kept.serials[0]):
            continue
        if is_open(asked, video):
            count = offer(kept, count, video, value)
    return sort(kept, count)
