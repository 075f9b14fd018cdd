"""Seen: which videos each viewer was served and has watched, as sorted arrays in one arena.

A viewer's block holds a sorted part and a short tail of what came since; a full tail is merged into
the sorted part. Blocks double when they are full, and what they leave is used again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.columns import Column
from ranking.compiled import compiled

DAY_S = 86_400
WATCHED_S = 30 * DAY_S
SERVED_S = 6 * 3600
"""How long a video is not shown again: after it was watched, and after it was served."""

_KEPT_S = WATCHED_S + DAY_S
_TAIL_MAX = 128
_ROOM_MIN = 8
_CLASSES = 40
_ROWS_AT_FIRST = 1 << 16
_NONE = -1


class _Arena(NamedTuple):
    """Blocks by viewer: where each begins, its room, how much is in it and how much is sorted.

    A row of `rows`: video, last watched (s), last served (s), how often watched. `free` heads a
    list of left blocks for each size, `used` is how much of the rows was ever given away.
    """

    start: NDArray[np.int64]
    room: NDArray[np.int32]
    size: NDArray[np.int32]
    ordered: NDArray[np.int32]
    rows: NDArray[np.uint32]
    free: NDArray[np.int64]
    used: NDArray[np.int64]


class Block(NamedTuple):
    """What a viewer has seen: rows as in the arena, so many of which are sorted."""

    rows: NDArray[np.uint32]
    ordered: int


class Seen:
    """What each viewer has seen; only the view log adds to it, in its order."""

    def __init__(self) -> None:
        self._start: Column[np.int64] = Column(np.int64)
        self._room: Column[np.int32] = Column(np.int32)
        self._size: Column[np.int32] = Column(np.int32)
        self._ordered: Column[np.int32] = Column(np.int32)
        self._rows: Column[np.uint32] = Column(np.uint32, (4,))
        self._rows.reach(_ROWS_AT_FIRST)
        self._free = np.full(_CLASSES, _NONE, np.int64)
        self._used = np.zeros(1, np.int64)

    def reach(self, accounts: int) -> None:
        """Have a place for so many viewers."""
        for column in (self._start, self._room, self._size, self._ordered):
            column.reach(accounts)

    def add(
        self,
        viewers: NDArray[np.int32],
        videos: Serials,
        at_s: NDArray[np.int64],
        watches: NDArray[np.bool_],
    ) -> None:
        """Remember what was served, or (`watches`) watched; of nobody or nothing, nothing."""
        done = 0
        while done < len(viewers):
            done = _see(self._arena(), viewers, videos, at_s, watches, done)
            if done < len(viewers):
                self._rows.reach(2 * len(self._rows))

    def of(self, viewer: int, videos: Serials) -> NDArray[np.uint32]:
        """Return when (s) a viewer last watched and was served each video, and how often watched.

        Returns:
            (videos, 3), zeros for what was never seen.
        """
        found = np.zeros((len(videos), 3), np.uint32)
        _look(*self.block(viewer), videos, found)
        return found

    def recently(self, viewer: int, videos: Serials, as_of_ms: int) -> NDArray[np.bool_]:
        """Tell for each video whether it is too early to show it to the viewer again."""
        found = np.empty(len(videos), np.bool_)
        _look_lately(*self.block(viewer), videos, as_of_ms // 1000, found)
        return found

    def block(self, viewer: int) -> Block:
        """Return all that a viewer has seen, for loops that ask about one video after another."""
        if not 0 <= viewer < len(self._start):
            return Block(self._rows.rows[:0], 0)
        begin = self._start.rows[viewer]
        rows = self._rows.rows[begin : begin + self._size.rows[viewer]]
        return Block(rows, int(self._ordered.rows[viewer]))

    def lately(self, viewer: int, since_ms: int) -> Serials:
        """Return what a viewer was served or has watched since then; some may be there twice."""
        block = self.block(viewer).rows
        since_s = since_ms // 1000
        is_late = (block[:, 1] >= since_s) | (block[:, 2] >= since_s)
        lately: Serials = block[is_late, 0].astype(np.int32)
        return lately

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, viewer by viewer."""
        start, size = self._start.rows, self._size.rows
        return [
            size.tobytes(),
            self._ordered.rows.tobytes(),
            *(
                self._rows.rows[start[viewer] : start[viewer] + size[viewer]].tobytes()
                for viewer in np.flatnonzero(size)
            ),
        ]

    def _arena(self) -> _Arena:
        return _Arena(
            self._start.rows,
            self._room.rows,
            self._size.rows,
            self._ordered.rows,
            self._rows.rows,
            self._free,
            self._used,
        )


@compiled
def is_recent(rows: NDArray[np.uint32], ordered: int, video: int, as_of_s: int) -> bool:
    """Tell of one video whether it is too early to show it again to whom a block belongs."""
    watched_s, served_s, _ = _last(rows, ordered, video)
    if watched_s > 0 and watched_s > as_of_s - WATCHED_S:
        return True
    return served_s > 0 and served_s > as_of_s - SERVED_S


@compiled
def _see(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    arena: _Arena,
    viewers: NDArray[np.int32],
    videos: Serials,
    at_s: NDArray[np.int64],
    watches: NDArray[np.bool_],
    done: int,
) -> int:
    """Remember from row `done` on; return the row at which the arena is full, or the end."""
    for row in range(done, len(viewers)):
        viewer = viewers[row]
        if viewer < 0 or videos[row] < 0:
            continue
        if arena.size[viewer] == arena.room[viewer]:
            _order(arena, viewer, at_s[row] - _KEPT_S)
            is_full = 4 * arena.size[viewer] > 3 * arena.room[viewer] or arena.room[viewer] == 0
            if is_full and not _move(arena, viewer):
                return row
        last = arena.start[viewer] + arena.size[viewer]
        arena.rows[last, 0] = videos[row]
        arena.rows[last, 1] = at_s[row] if watches[row] else 0
        arena.rows[last, 2] = 0 if watches[row] else at_s[row]
        arena.rows[last, 3] = 1 if watches[row] else 0
        arena.size[viewer] += 1
        if arena.size[viewer] - arena.ordered[viewer] >= _TAIL_MAX:
            _order(arena, viewer, at_s[row] - _KEPT_S)
    return len(viewers)


@compiled
def _order(arena: _Arena, viewer: int, oldest_s: int) -> None:
    """Merge the tail of a viewer's block into what is sorted."""
    begin, ordered = arena.start[viewer], int(arena.ordered[viewer])
    if ordered < arena.size[viewer]:
        block = arena.rows[begin : begin + arena.size[viewer]]
        arena.size[viewer] = _merge(block, ordered, oldest_s)
        arena.ordered[viewer] = arena.size[viewer]


@compiled
def _move(arena: _Arena, viewer: int) -> bool:
    """Give a viewer a block of twice the room; return whether the arena has one."""
    wanted = max(_ROOM_MIN, 2 * arena.room[viewer])
    place = _class_of(wanted)
    begin = arena.free[place]
    if begin >= 0:
        behind = np.int64(arena.rows[begin, 0]) + (np.int64(arena.rows[begin, 1]) << 31)
        arena.free[place] = behind - 1
    elif arena.used[0] + wanted <= len(arena.rows):
        begin = arena.used[0]
        arena.used[0] += wanted
    else:
        return False
    old = arena.start[viewer]
    for row in range(arena.size[viewer]):
        arena.rows[begin + row] = arena.rows[old + row]
    if arena.room[viewer] > 0:
        left = _class_of(arena.room[viewer])
        behind = arena.free[left] + 1
        arena.rows[old, 0] = behind & 0x7FFFFFFF
        arena.rows[old, 1] = behind >> 31
        arena.free[left] = old
    arena.start[viewer] = begin
    arena.room[viewer] = wanted
    return True


@compiled
def _class_of(room: int) -> int:
    place = 0
    while room > 1:
        room >>= 1
        place += 1
    return place


@compiled
def _merge(block: NDArray[np.uint32], ordered: int, oldest_s: int) -> int:
    """Sort a block by video, each once, without what is too old; return how much is left."""
    tail = block[ordered:].copy()
    head = block[:ordered].copy()
    order = np.argsort(tail[:, 0], kind="mergesort")
    count, left, right = 0, 0, 0
    while left < len(head) or right < len(tail):
        from_head = right == len(tail) or (
            left < len(head) and head[left, 0] <= tail[order[right], 0]
        )
        if from_head:
            entry = head[left]
            left += 1
        else:
            entry = tail[order[right]]
            right += 1
        if count > 0 and block[count - 1, 0] == entry[0]:
            block[count - 1, 1] = max(block[count - 1, 1], entry[1])
            block[count - 1, 2] = max(block[count - 1, 2], entry[2])
            block[count - 1, 3] += entry[3]
            continue
        if count > 0 and max(block[count - 1, 1], block[count - 1, 2]) < oldest_s:
            count -= 1
        block[count] = entry
        count += 1
    if count > 0 and max(block[count - 1, 1], block[count - 1, 2]) < oldest_s:
        count -= 1
    return count


@compiled
def _last(rows: NDArray[np.uint32], ordered: int, video: int) -> tuple[int, int, int]:
    """Return when (s) a video was last watched and last served, and how often it was watched."""
    watched_s, served_s, times = 0, 0, 0
    low, high = 0, ordered
    while low < high:
        middle = (low + high) >> 1
        if rows[middle, 0] < video:
            low = middle + 1
        else:
            high = middle
    if low < ordered and rows[low, 0] == video:
        watched_s, served_s, times = int(rows[low, 1]), int(rows[low, 2]), int(rows[low, 3])
    for row in range(ordered, len(rows)):
        if rows[row, 0] == video:
            watched_s = max(watched_s, int(rows[row, 1]))
            served_s = max(served_s, int(rows[row, 2]))
            times += int(rows[row, 3])
    return watched_s, served_s, times


@compiled
def _look(
    rows: NDArray[np.uint32], ordered: int, videos: Serials, found: NDArray[np.uint32]
) -> None:
    for place in range(len(videos)):
        found[place, 0], found[place, 1], found[place, 2] = _last(rows, ordered, videos[place])


@compiled
def _look_lately(
    rows: NDArray[np.uint32],
    ordered: int,
    videos: Serials,
    as_of_s: int,
    found: NDArray[np.bool_],
) -> None:
    for place in range(len(videos)):
        found[place] = is_recent(rows, ordered, videos[place], as_of_s)
