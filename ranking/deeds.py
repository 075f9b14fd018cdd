"""Deeds: what viewers did, as columns; all that the state of the ranking is folded from.

Both logs end in them: what feeds served and apps reported, and what the domain recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
NOTHING = -1
FIRST = -1
"""Of `before`: nothing was reported of the showing earlier."""


class Kind(IntEnum):
    """What was done. Those below LIKE are in the view log, the others in the domain log."""

    IMPRESSION = 0
    WATCH = 1
    CLICK = 2
    PROFILE = 3
    LIKE = 16
    UNLIKE = 17
    COMMENT = 18
    SHARE = 19
    BOOKMARK = 20
    UNBOOKMARK = 21
    FOLLOW_AUTHOR = 22
    UNFOLLOW_AUTHOR = 23
    REMIX = 24
    CAMEO_USE = 25
    CREATE = 26
    LESS = 27
    REPORT = 28
    HIDE_AUTHOR = 29


class Surface(IntEnum):
    """Where it was done: the kind of the feed. Up to 15 may be numbered."""

    UNKNOWN = 0
    FOR_YOU = 1
    FOLLOWING = 2
    LATEST = 3
    POPULAR = 4
    EXPLORE = 5
    SEARCH = 6
    PROFILE = 7


SURFACES_MAX = 16

SURFACE_BY_FEED = {
    "for_you": Surface.FOR_YOU,
    "following": Surface.FOLLOWING,
    "latest": Surface.LATEST,
    "popular": Surface.POPULAR,
    "explore": Surface.EXPLORE,
    "search": Surface.SEARCH,
    "profile": Surface.PROFILE,
}


@dataclass(frozen=True, slots=True)
class Deeds:
    """One deed a row, in the order of its log.

    Accounts and videos are serial numbers, -1 for none or an unknown one. `author` is who a deed
    is about; -1 stands for the author of the video. Of a WATCH, `value` is what was watched until
    now of this showing (ms), `extra` the loops, `before` and `extra_before` what an earlier report
    had said (-1 if there was none), and `at_ms` when the showing was first reported.
    """

    kind: NDArray[np.int8]
    at_ms: NDArray[np.int64]
    viewer: NDArray[np.int32]
    video: NDArray[np.int32]
    author: NDArray[np.int32]
    value: NDArray[np.int32]
    extra: NDArray[np.int32]
    before: NDArray[np.int32]
    extra_before: NDArray[np.int32]
    surface: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def empty(cls, count: int = 0) -> Self:
        """Return rows in which nobody did anything: impressions of nothing at the epoch."""
        return cls(
            kind=np.zeros(count, np.int8),
            at_ms=np.zeros(count, np.int64),
            viewer=np.full(count, NOBODY, np.int32),
            video=np.full(count, NOTHING, np.int32),
            author=np.full(count, NOBODY, np.int32),
            value=np.zeros(count, np.int32),
            extra=np.zeros(count, np.int32),
            before=np.full(count, FIRST, np.int32),
            extra_before=np.full(count, FIRST, np.int32),
            surface=np.zeros(count, np.int8),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all the parts, one part behind the other."""
        if not parts:
            return cls.empty()
        return cls(
            *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls))
        )

    def take(self, rows: NDArray[np.int64] | slice) -> Self:
        """Return some of the rows, in the order asked for."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    def of_kind(self, kind: Kind) -> Self:
        """Return the same rows as deeds of another kind, in columns of their own."""
        copy = type(self)(*(getattr(self, each.name).copy() for each in fields(self)))
        copy.kind[:] = kind
        return copy
