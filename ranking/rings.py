"""Rings: the last of what each viewer did, filled by one compiled loop over the deeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.deeds import Kind
from ranking.signals import COMPLETE_PERMILLE, is_long, is_skip, permille

WATCHED_MAX = 100
POSITIVES_MAX = 50
SERVED_MAX = 32
FAVOURED_MAX = 50

LONG = 1
COMPLETE = 2
SKIP = 4
FLAGS = 15
# Flags and the surface share a byte.
SURFACE_SHIFT = 4

_IMPRESSION, _WATCH = int(Kind.IMPRESSION), int(Kind.WATCH)
_LIKE, _UNLIKE = int(Kind.LIKE), int(Kind.UNLIKE)
_COMMENT, _SHARE = int(Kind.COMMENT), int(Kind.SHARE)
_BOOKMARK, _UNBOOKMARK = int(Kind.BOOKMARK), int(Kind.UNBOOKMARK)
_REMIX = int(Kind.REMIX)


class Acts(NamedTuple):
    """Deeds, as a compiled loop takes them."""

    kind: NDArray[np.int8]
    viewer: NDArray[np.int32]
    video: NDArray[np.int32]
    at_s: NDArray[np.int64]
    value: NDArray[np.int32]
    extra: NDArray[np.int32]
    before: NDArray[np.int32]
    durations_ms: NDArray[np.int32]
    surface: NDArray[np.int8]


class WatchRing(NamedTuple):
    """Rings of watches, and how many were ever put in each."""

    video: NDArray[np.int32]
    at_s: NDArray[np.uint32]
    permille: NDArray[np.int16]
    flags: NDArray[np.uint8]
    length: NDArray[np.int64]


class VideoRing(NamedTuple):
    """Rings of videos with times."""

    video: NDArray[np.int32]
    at_s: NDArray[np.uint32]
    length: NDArray[np.int64]


class LikeRing(NamedTuple):
    """Rings of videos with times and kinds of deeds."""

    video: NDArray[np.int32]
    at_s: NDArray[np.uint32]
    kind: NDArray[np.int8]
    length: NDArray[np.int64]


@compiled
def remember(  # noqa: PLR0913, PLR0917 - a compiled loop takes its rings singly
    rows: NDArray[np.int64],
    deeds: Acts,
    watched: WatchRing,
    positive: VideoRing,
    served: tuple[NDArray[np.int32], NDArray[np.int64]],
    favoured: LikeRing,
    became_long: NDArray[np.bool_],
) -> None:
    """Put the deeds of some rows into the rings; mark those by which a showing became long."""
    for row in rows:
        kind, viewer = deeds.kind[row], deeds.viewer[row]
        if kind == _IMPRESSION:
            served[0][viewer, served[1][viewer] % SERVED_MAX] = deeds.video[row]
            served[1][viewer] += 1
        elif kind == _WATCH:
            _watch(watched, deeds, row)
            if _becomes_long(deeds, row):
                became_long[row] = True
                place = positive.length[viewer] % POSITIVES_MAX
                positive.video[viewer, place] = deeds.video[row]
                positive.at_s[viewer, place] = deeds.at_s[row]
                positive.length[viewer] += 1
        else:
            _favour(favoured, deeds, row)


@compiled
def _becomes_long(deeds: Acts, row: int) -> bool:
    duration_ms = int(deeds.durations_ms[row])
    before_ms = int(deeds.before[row])
    if before_ms >= 0 and is_long(before_ms, duration_ms):
        return False
    return is_long(int(deeds.value[row]), duration_ms)


@compiled
def _watch(ring: WatchRing, deeds: Acts, row: int) -> None:
    """Put a watch at the end of the ring, or change what was reported of its showing."""
    viewer, is_first = deeds.viewer[row], deeds.before[row] < 0
    place = ring.length[viewer] % WATCHED_MAX if is_first else _showing(ring, deeds, row)
    if place < 0:
        return
    duration_ms = int(deeds.durations_ms[row])
    watched_ms, loops = int(deeds.value[row]), int(deeds.extra[row])
    share = permille(watched_ms, duration_ms)
    flags = (deeds.surface[row] & FLAGS) << SURFACE_SHIFT
    if is_long(watched_ms, duration_ms):
        flags |= LONG
    if share >= COMPLETE_PERMILLE or loops >= 1:
        flags |= COMPLETE
    if is_skip(watched_ms, loops, duration_ms):
        flags |= SKIP
    ring.video[viewer, place] = deeds.video[row]
    ring.at_s[viewer, place] = deeds.at_s[row]
    ring.permille[viewer, place] = share
    ring.flags[viewer, place] = flags
    if is_first:
        ring.length[viewer] += 1


@compiled
def _showing(ring: WatchRing, deeds: Acts, row: int) -> int:
    """Return where the showing is in the ring, -1 if it is there no more."""
    viewer = deeds.viewer[row]
    for back in range(1, min(ring.length[viewer], WATCHED_MAX) + 1):
        at = (ring.length[viewer] - back) % WATCHED_MAX
        if ring.video[viewer, at] == deeds.video[row] and ring.at_s[viewer, at] == deeds.at_s[row]:
            return int(at)
    return -1


@compiled
def _favour(ring: LikeRing, deeds: Acts, row: int) -> None:
    kind, viewer, video = deeds.kind[row], deeds.viewer[row], deeds.video[row]
    if kind in (_UNLIKE, _UNBOOKMARK):
        taken_back = _LIKE if kind == _UNLIKE else _BOOKMARK
        for place in range(min(ring.length[viewer], FAVOURED_MAX)):
            if ring.video[viewer, place] == video and ring.kind[viewer, place] == taken_back:
                ring.video[viewer, place] = -1
    elif kind in (_LIKE, _COMMENT, _SHARE, _BOOKMARK, _REMIX):
        place = ring.length[viewer] % FAVOURED_MAX
        ring.video[viewer, place] = video
        ring.at_s[viewer, place] = deeds.at_s[row]
        ring.kind[viewer, place] = kind
        ring.length[viewer] += 1
