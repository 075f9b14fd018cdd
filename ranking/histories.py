"""Histories: what each viewer last watched, was served and favoured, in rings; and what they saw.

What comes from the view log and what from the domain log is kept apart, each in its log's order, so
that it does not matter how the two were interleaved.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.columns import Column, contents
from ranking.deeds import Deeds, Kind
from ranking.rings import (
    COMPLETE,
    FAVOURED_MAX,
    FLAGS,
    LONG,
    POSITIVES_MAX,
    SERVED_MAX,
    SKIP,
    SURFACE_SHIFT,
    WATCHED_MAX,
    Acts,
    LikeRing,
    VideoRing,
    WatchRing,
    remember,
)
from ranking.seen import Block, Seen

__all__ = ["COMPLETE", "LONG", "SKIP", "Histories", "Liked", "Watched"]


class Watched(NamedTuple):
    """Showings that were watched, the newest last; flags are LONG, COMPLETE and SKIP."""

    video: NDArray[np.int32]
    at_ms: NDArray[np.int64]
    permille: NDArray[np.int16]
    flags: NDArray[np.uint8]
    surface: NDArray[np.int8]

    def where(self, kept: NDArray[np.bool_]) -> "Watched":
        """Return some of the showings."""
        video, at_ms, share, flags, surface = self
        return Watched(video[kept], at_ms[kept], share[kept], flags[kept], surface[kept])


class Liked(NamedTuple):
    """Videos for which a viewer showed liking, the newest last, and by which `Kind` of deed."""

    video: NDArray[np.int32]
    at_ms: NDArray[np.int64]
    kind: NDArray[np.int8]


class Histories:
    """Rings by viewer. Only `State` writes to them."""

    def __init__(self) -> None:
        self._seen = Seen()
        self._watched: Column[np.int32] = Column(np.int32, (WATCHED_MAX,))
        self._watched_s: Column[np.uint32] = Column(np.uint32, (WATCHED_MAX,))
        self._permille: Column[np.int16] = Column(np.int16, (WATCHED_MAX,))
        self._flags: Column[np.uint8] = Column(np.uint8, (WATCHED_MAX,))
        self._watches: Column[np.int64] = Column(np.int64)
        self._positive: Column[np.int32] = Column(np.int32, (POSITIVES_MAX,))
        self._positive_s: Column[np.uint32] = Column(np.uint32, (POSITIVES_MAX,))
        self._positives: Column[np.int64] = Column(np.int64)
        self._served: Column[np.int32] = Column(np.int32, (SERVED_MAX,))
        self._serves: Column[np.int64] = Column(np.int64)
        self._favoured: Column[np.int32] = Column(np.int32, (FAVOURED_MAX,))
        self._favoured_s: Column[np.uint32] = Column(np.uint32, (FAVOURED_MAX,))
        self._favoured_by: Column[np.int8] = Column(np.int8, (FAVOURED_MAX,))
        self._favours: Column[np.int64] = Column(np.int64)

    def reach(self, accounts: int) -> None:
        """Have a row for so many viewers."""
        self._seen.reach(accounts)
        for column in vars(self).values():
            if isinstance(column, Column):
                column.reach(accounts)

    def watched(self, viewer: int) -> Watched:
        """Return what a viewer last watched."""
        order = _order(self._watches.rows, viewer, WATCHED_MAX)
        if not len(order):
            return _nothing_watched()
        flags = self._flags.rows[viewer, order]
        return Watched(
            self._watched.rows[viewer, order],
            self._watched_s.rows[viewer, order].astype(np.int64) * 1000,
            self._permille.rows[viewer, order],
            np.bitwise_and(flags, FLAGS, dtype=np.uint8),
            (flags >> SURFACE_SHIFT).astype(np.int8),
        )

    def positives(self, viewer: int) -> Liked:
        """Return what a viewer last watched for long, each showing once."""
        order = _order(self._positives.rows, viewer, POSITIVES_MAX)
        if not len(order):
            return _nothing_liked()
        return Liked(
            self._positive.rows[viewer, order],
            self._positive_s.rows[viewer, order].astype(np.int64) * 1000,
            np.full(len(order), Kind.WATCH, np.int8),
        )

    def favoured(self, viewer: int) -> Liked:
        """Return what a viewer last liked, commented on, shared, bookmarked or remixed."""
        order = _order(self._favours.rows, viewer, FAVOURED_MAX)
        order = order[self._favoured.rows[viewer, order] >= 0] if len(order) else order
        if not len(order):
            return _nothing_liked()
        return Liked(
            self._favoured.rows[viewer, order],
            self._favoured_s.rows[viewer, order].astype(np.int64) * 1000,
            self._favoured_by.rows[viewer, order],
        )

    def served(self, viewer: int) -> Serials:
        """Return what a viewer was last served, the newest last."""
        order = _order(self._serves.rows, viewer, SERVED_MAX)
        return self._served.rows[viewer, order] if len(order) else np.empty(0, np.int32)

    def seen(self, viewer: int, serials: Serials, as_of_ms: int) -> NDArray[np.bool_]:
        """Tell for each video whether it is too early to show it to the viewer again."""
        return self._seen.recently(viewer, serials, as_of_ms)

    def lately(self, viewer: int, since_ms: int) -> Serials:
        """Return what a viewer was served or has watched since then, in no order."""
        return self._seen.lately(viewer, since_ms)

    def block(self, viewer: int) -> Block:
        """Return all that a viewer has seen, for loops that ask about one video after another."""
        return self._seen.block(viewer)

    def encounters(self, viewer: int, serials: Serials) -> NDArray[np.uint32]:
        """Return when (s) a viewer last watched and was served each, and how often watched."""
        return self._seen.of(viewer, serials)

    def add(self, deeds: Deeds, durations_ms: NDArray[np.int32]) -> NDArray[np.int64]:
        """Remember what was done.

        Returns:
            The rows by which a showing became a long watch.
        """
        known = (deeds.viewer >= 0) & (deeds.video >= 0)
        shown = np.flatnonzero(
            known & ((deeds.kind == Kind.IMPRESSION) | (deeds.kind == Kind.WATCH))
        )
        at_s = deeds.at_ms // 1000
        watches = (deeds.kind[shown] == Kind.WATCH) & (deeds.before[shown] < 0)
        self._seen.add(deeds.viewer[shown], deeds.video[shown], at_s[shown], watches)
        became_long = np.zeros(len(deeds), np.bool_)
        remember(
            np.flatnonzero(known),
            Acts(
                deeds.kind,
                deeds.viewer,
                deeds.video,
                at_s,
                deeds.value,
                deeds.extra,
                deeds.before,
                durations_ms,
                deeds.surface,
            ),
            self._watch_ring(),
            VideoRing(self._positive.rows, self._positive_s.rows, self._positives.rows),
            (self._served.rows, self._serves.rows),
            LikeRing(
                self._favoured.rows,
                self._favoured_s.rows,
                self._favoured_by.rows,
                self._favours.rows,
            ),
            became_long,
        )
        return np.flatnonzero(became_long)

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        return [*self._seen.parts(), *contents(self)]

    def _watch_ring(self) -> WatchRing:
        return WatchRing(
            self._watched.rows,
            self._watched_s.rows,
            self._permille.rows,
            self._flags.rows,
            self._watches.rows,
        )


def _order(counts: NDArray[np.int64], viewer: int, size: int) -> NDArray[np.int64]:
    """Return the places of a viewer's ring, the newest last."""
    if not 0 <= viewer < len(counts):
        return np.empty(0, np.int64)
    count = int(counts[viewer])
    return np.arange(max(0, count - size), count) % size


def _nothing_watched() -> Watched:
    return Watched(
        np.empty(0, np.int32),
        np.empty(0, np.int64),
        np.empty(0, np.int16),
        np.empty(0, np.uint8),
        np.empty(0, np.int8),
    )


def _nothing_liked() -> Liked:
    return Liked(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int8))
