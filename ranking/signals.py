"""Signals: what a deed adds to the counters, as whole numbers.

A showing may be reported several times: each report adds what it says beyond the one before, so
that in the end a showing has counted once, for all that was watched of it.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.deeds import Deeds, Kind

LONG_MS = 18_000
"""A watch is long from here on, or when the whole of a shorter video was watched."""

SKIP_MS = 1000
SKIP_PERMILLE = 150
COMPLETE_PERMILLE = 950
REWATCH_PERMILLE = 2000
WATCH_PERMILLE_MAX = 3000


class Signal(IntEnum):
    """What is counted; the number is the column."""

    IMPRESSIONS = 0
    WATCHES = 1
    LONG_WATCHES = 2
    COMPLETIONS = 3
    REWATCHES = 4
    QUICK_SKIPS = 5
    WATCH_PERMILLE = 6
    CLICKS = 7
    PROFILES = 8
    LIKES = 9
    COMMENTS = 10
    SHARES = 11
    BOOKMARKS = 12
    FOLLOWS = 13
    REMIXES = 14
    CAMEO_USES = 15
    CREATIONS = 16
    LESS = 17
    REPORTS = 18


_ADDS = {
    Kind.IMPRESSION: (Signal.IMPRESSIONS, 1),
    Kind.CLICK: (Signal.CLICKS, 1),
    Kind.PROFILE: (Signal.PROFILES, 1),
    Kind.LIKE: (Signal.LIKES, 1),
    Kind.UNLIKE: (Signal.LIKES, -1),
    Kind.COMMENT: (Signal.COMMENTS, 1),
    Kind.SHARE: (Signal.SHARES, 1),
    Kind.BOOKMARK: (Signal.BOOKMARKS, 1),
    Kind.UNBOOKMARK: (Signal.BOOKMARKS, -1),
    Kind.FOLLOW_AUTHOR: (Signal.FOLLOWS, 1),
    Kind.UNFOLLOW_AUTHOR: (Signal.FOLLOWS, -1),
    Kind.REMIX: (Signal.REMIXES, 1),
    Kind.CAMEO_USE: (Signal.CAMEO_USES, 1),
    Kind.CREATE: (Signal.CREATIONS, 1),
    Kind.LESS: (Signal.LESS, 1),
    Kind.HIDE_AUTHOR: (Signal.LESS, 1),
    Kind.REPORT: (Signal.REPORTS, 1),
}
# By kind: the column, and what is added to it.
_COLUMN = np.full(128, -1, np.int64)
_AMOUNT = np.zeros(128, np.int32)
for _kind, (_signal, _amount) in _ADDS.items():
    _COLUMN[_kind] = _signal
    _AMOUNT[_kind] = _amount

_WATCH = int(Kind.WATCH)


def amounts(deeds: Deeds, durations_ms: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return what each deed adds to each signal: (deeds, signals).

    Args:
        deeds: what was done.
        durations_ms: of the video of each deed.
    """
    found = np.zeros((len(deeds), len(Signal)), np.int32)
    _fill(
        found,
        deeds.kind,
        deeds.value,
        deeds.extra,
        deeds.before,
        deeds.extra_before,
        durations_ms,
        _COLUMN,
        _AMOUNT,
    )
    return found


@compiled
def is_long(watched_ms: int, duration_ms: int) -> bool:
    """Return whether a watch is long: the whole of a short video, or much of a longer one."""
    return watched_ms >= min(LONG_MS, max(duration_ms, 1))


@compiled
def permille(watched_ms: int, duration_ms: int) -> int:
    """Return how much of the video was watched, with repetitions up to a limit."""
    return min(watched_ms * 1000 // max(duration_ms, 1), WATCH_PERMILLE_MAX)


@compiled
def is_skip(watched_ms: int, loops: int, duration_ms: int) -> bool:
    """Return whether the viewer went on at once."""
    share = permille(watched_ms, duration_ms)
    if loops > 0 or share >= COMPLETE_PERMILLE:
        return False
    return watched_ms < SKIP_MS or share < SKIP_PERMILLE


@compiled
def _add_watch(
    row: NDArray[np.int32], watched_ms: int, loops: int, duration_ms: int, sign: int
) -> None:
    share = permille(watched_ms, duration_ms)
    row[1] += sign
    if is_long(watched_ms, duration_ms):
        row[2] += sign
    if share >= COMPLETE_PERMILLE or loops >= 1:
        row[3] += sign
    if share >= REWATCH_PERMILLE or loops > 1:
        row[4] += sign
    if is_skip(watched_ms, loops, duration_ms):
        row[5] += sign
    row[6] += sign * share


@compiled
def _fill(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    found: NDArray[np.int32],
    kind: NDArray[np.int8],
    value: NDArray[np.int32],
    extra: NDArray[np.int32],
    before: NDArray[np.int32],
    extra_before: NDArray[np.int32],
    durations_ms: NDArray[np.int32],
    column: NDArray[np.int64],
    amount: NDArray[np.int32],
) -> None:
    for deed in range(len(kind)):
        if kind[deed] == _WATCH:
            duration_ms = int(durations_ms[deed])
            _add_watch(found[deed], int(value[deed]), int(extra[deed]), duration_ms, 1)
            if before[deed] >= 0:
                earlier = int(before[deed])
                _add_watch(found[deed], earlier, int(extra_before[deed]), duration_ms, -1)
        elif column[kind[deed]] >= 0:
            found[deed, column[kind[deed]]] = amount[kind[deed]]
