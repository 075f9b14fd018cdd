"""Histories: what each viewer last watched, was served and favoured, in rings; and what they saw.

What comes from the view log and what from the domain log is kept apart, each in its log's order, so
that it does not matter how the two were interleaved.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.columns import Column
from ranking.compiled import compiled
from ranking.deeds import Deeds, Kind
from ranking.seen import Seen
from ranking.signals import COMPLETE_PERMILLE, is_long, is_skip, permille

WATCHED_MAX = 100
POSITIVES_MAX = 50
SERVED_MAX = 32
FAVOURED_MAX = 50

LONG = 1
COMPLETE = 2
SKIP = 4

_IMPRESSION, _WATCH = int(Kind.IMPRESSION), int(Kind.WATCH)
_LIKE, _UNLIKE = int(Kind.LIKE), int(Kind.UNLIKE)
_COMMENT, _SHARE = int(Kind.COMMENT), int(Kind.SHARE)
_BOOKMARK, _UNBOOKMARK = int(Kind.BOOKMARK), int(Kind.UNBOOKMARK)
_REMIX = int(Kind.REMIX)


class Watched(NamedTuple):
    """Showings that were watched, the newest last; flags are LONG, COMPLETE and SKIP."""

    video: NDArray[np.int32]
    at_ms: NDArray[np.int64]
    permille: NDArray[np.int16]
    flags: NDArray[np.uint8]


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
            return Watched(*(np.empty(0, kind) for kind in ("i4", "i8", "i2", "u1")))
        return Watched(
            self._watched.rows[viewer, order],
            self._watched_s.rows[viewer, order].astype(np.int64) * 1000,
            self._permille.rows[viewer, order],
            self._flags.rows[viewer, order],
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

    def encounters(self, viewer: int, serials: Serials) -> NDArray[np.uint32]:
        """Return when (s) a viewer last watched and was served each, and how often watched."""
        return self._seen.of(viewer, serials)

    def add(self, deeds: Deeds, durations_ms: NDArray[np.int32]) -> NDArray[np.int64]:
        """Remember what was done.

        Returns:
            The rows by which a showing became a long watch.
        """
        known = (deeds.viewer >= 0) & (deeds.video >= 0)
        shown = known & ((deeds.kind == Kind.IMPRESSION) | (deeds.kind == Kind.WATCH))
        rows = np.flatnonzero(shown)
        at_s = deeds.at_ms // 1000
        self._seen.add(
            deeds.viewer[rows], deeds.video[rows], at_s[rows],
            (deeds.kind[rows] == Kind.WATCH) & (deeds.before[rows] < 0),
        )  # fmt: skip
        became_long = np.zeros(len(deeds), np.bool_)
        _remember(
            np.flatnonzero(known), deeds.kind, deeds.viewer, deeds.video, at_s, deeds.value,
            deeds.extra, deeds.before, durations_ms,
            (self._watched.rows, self._watched_s.rows, self._permille.rows, self._flags.rows,
             self._watches.rows),
            (self._positive.rows, self._positive_s.rows, self._positives.rows),
            (self._served.rows, self._serves.rows),
            (self._favoured.rows, self._favoured_s.rows, self._favoured_by.rows,
             self._favours.rows),
            became_long,
        )  # fmt: skip
        return np.flatnonzero(became_long)

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        columns = (each.rows.tobytes() for each in vars(self).values() if isinstance(each, Column))
        return [*self._seen.parts(), *columns]


def _order(counts: NDArray[np.int64], viewer: int, size: int) -> NDArray[np.int64]:
    """Return the places of a viewer's ring, the newest last."""
    if not 0 <= viewer < len(counts):
        return np.empty(0, np.int64)
    count = int(counts[viewer])
    return np.arange(max(0, count - size), count) % size


def _nothing_liked() -> Liked:
    return Liked(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int8))


@compiled
def _remember(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    rows, kind, viewer, video, at_s, value, extra, before, durations_ms,
    watched, positive, served, favoured, became_long,
):  # fmt: skip
    for row in rows:
        if kind[row] == _IMPRESSION:
            place = served[1][viewer[row]] % SERVED_MAX
            served[0][viewer[row], place] = video[row]
            served[1][viewer[row]] += 1
        elif kind[row] == _WATCH:
            duration_ms = np.int64(durations_ms[row])
            _watch(
                watched, viewer[row], video[row], at_s[row], np.int64(value[row]),
                extra[row], before[row] < 0, duration_ms,
            )  # fmt: skip
            earlier = before[row] >= 0 and is_long(np.int64(before[row]), duration_ms)
            if is_long(np.int64(value[row]), duration_ms) and not earlier:
                became_long[row] = True
                place = positive[2][viewer[row]] % POSITIVES_MAX
                positive[0][viewer[row], place] = video[row]
                positive[1][viewer[row], place] = at_s[row]
                positive[2][viewer[row]] += 1
        elif kind[row] == _UNLIKE or kind[row] == _UNBOOKMARK:
            taken_back = _LIKE if kind[row] == _UNLIKE else _BOOKMARK
            for place in range(min(favoured[3][viewer[row]], FAVOURED_MAX)):
                same = favoured[0][viewer[row], place] == video[row]
                if same and favoured[2][viewer[row], place] == taken_back:
                    favoured[0][viewer[row], place] = -1
        elif kind[row] in (_LIKE, _COMMENT, _SHARE, _BOOKMARK, _REMIX):
            place = favoured[3][viewer[row]] % FAVOURED_MAX
            favoured[0][viewer[row], place] = video[row]
            favoured[1][viewer[row], place] = at_s[row]
            favoured[2][viewer[row], place] = kind[row]
            favoured[3][viewer[row]] += 1


@compiled
def _watch(watched, viewer, video, at_s, watched_ms, loops, is_first, duration_ms):
    """Put a watch at the end of the ring, or change what was reported of its showing."""
    place = watched[4][viewer] % WATCHED_MAX
    if not is_first:
        place = -1
        for back in range(1, min(watched[4][viewer], WATCHED_MAX) + 1):
            at = (watched[4][viewer] - back) % WATCHED_MAX
            if watched[0][viewer, at] == video and watched[1][viewer, at] == at_s:
                place = at
                break
        if place < 0:
            return
    share = permille(watched_ms, duration_ms)
    flags = LONG if is_long(watched_ms, duration_ms) else 0
    if share >= COMPLETE_PERMILLE or loops >= 1:
        flags |= COMPLETE
    if is_skip(watched_ms, loops, duration_ms):
        flags |= SKIP
    watched[0][viewer, place] = video
    watched[1][viewer, place] = at_s
    watched[2][viewer, place] = share
    watched[3][viewer, place] = flags
    if is_first:
        watched[4][viewer] += 1
