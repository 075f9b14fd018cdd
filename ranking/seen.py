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
_NONE = -1


class Blocks(NamedTuple):
    """Where the block of each viewer begins, its room, how much is in it, and sorted."""

    start: Column[np.int64]
    room: Column[np.int32]
    size: Column[np.int32]
    ordered: Column[np.int32]


class Seen:
    """What each viewer has seen; only the view log adds to it, in its order."""

    def __init__(self) -> None:
        self._blocks = Blocks(
            Column(np.int64), Column(np.int32), Column(np.int32), Column(np.int32)
        )
        # A row: video, last watched (s), last served (s), how often watched.
        self._arena: Column[np.int64] = Column(np.uint32, (4,))
        self._arena.reach(1 << 16)
        self._free = np.full(_CLASSES, _NONE, np.int64)
        self._used = np.zeros(1, np.int64)

    def reach(self, accounts: int) -> None:
        """Have a place for so many viewers."""
        for column in self._blocks:
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
            blocks = (column.rows for column in self._blocks)
            done = _see(
                *blocks, self._arena.rows, self._free, self._used, viewers, videos, at_s,
                watches, done,
            )  # fmt: skip
            if done < len(viewers):
                self._arena.reach(2 * len(self._arena))

    def of(self, viewer: int, videos: Serials) -> NDArray[np.uint32]:
        """Return when (s) a viewer last watched and was served each video, and how often watched.

        Returns:
            (videos, 3), zeros for what was never seen.
        """
        found = np.zeros((len(videos), 3), np.uint32)
        start, _, size, ordered = (column.rows for column in self._blocks)
        if 0 <= viewer < len(start):
            begin = start[viewer]
            block = self._arena.rows[begin : begin + size[viewer]]
            _look(block, ordered[viewer], videos, found)
        return found

    def recently(self, viewer: int, videos: Serials, as_of_ms: int) -> NDArray[np.bool_]:
        """Tell for each video whether it is too early to show it to the viewer again."""
        last = self.of(viewer, videos).astype(np.int64)
        as_of_s = as_of_ms // 1000
        watched = (last[:, 0] > 0) & (last[:, 0] > as_of_s - WATCHED_S)
        served = (last[:, 1] > 0) & (last[:, 1] > as_of_s - SERVED_S)
        return watched | served

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, viewer by viewer."""
        start, _, size, ordered = (column.rows for column in self._blocks)
        return [
            size.tobytes(),
            ordered.tobytes(),
            *(
                self._arena.rows[start[viewer] : start[viewer] + size[viewer]].tobytes()
                for viewer in np.flatnonzero(size)
            ),
        ]


@compiled
def _see(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    start: NDArray[np.int64],
    room: NDArray[np.int32],
    size: NDArray[np.int32],
    ordered: NDArray[np.int32],
    arena: NDArray[np.uint32],
    free: NDArray[np.int64],
    used: NDArray[np.int64],
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
        if size[viewer] == room[viewer]:
            if ordered[viewer] < size[viewer]:
                block = arena[start[viewer] : start[viewer] + size[viewer]]
                size[viewer] = _merge(block, ordered[viewer], at_s[row] - _KEPT_S)
                ordered[viewer] = size[viewer]
            if 4 * size[viewer] > 3 * room[viewer] or room[viewer] == 0:
                moved = _move(start, room, size, arena, free, used, viewer)
                if not moved:
                    return row
        last = start[viewer] + size[viewer]
        arena[last, 0] = videos[row]
        arena[last, 1] = at_s[row] if watches[row] else 0
        arena[last, 2] = 0 if watches[row] else at_s[row]
        arena[last, 3] = 1 if watches[row] else 0
        size[viewer] += 1
        if size[viewer] - ordered[viewer] >= _TAIL_MAX:
            block = arena[start[viewer] : start[viewer] + size[viewer]]
            size[viewer] = _merge(block, ordered[viewer], at_s[row] - _KEPT_S)
            ordered[viewer] = size[viewer]
    return len(viewers)


@compiled
def _move(  # noqa: PLR0913, PLR0917 - as above
    start: NDArray[np.int64],
    room: NDArray[np.int32],
    size: NDArray[np.int32],
    arena: NDArray[np.uint32],
    free: NDArray[np.int64],
    used: NDArray[np.int64],
    viewer: int,
) -> bool:
    """Give a viewer a block of twice the room; return whether the arena has one."""
    wanted = max(_ROOM_MIN, 2 * room[viewer])
    place = _class_of(wanted)
    if free[place] >= 0:
        begin = free[place]
        free[place] = np.int64(arena[begin, 0]) + (np.int64(arena[begin, 1]) << 31) - 1
    elif used[0] + wanted <= len(arena):
        begin = used[0]
        used[0] += wanted
    else:
        return False
    old = start[viewer]
    for row in range(size[viewer]):
        arena[begin + row] = arena[old + row]
    if room[viewer] > 0:
        left = _class_of(room[viewer])
        behind = free[left] + 1
        arena[old, 0] = behind & 0x7FFFFFFF
        arena[old, 1] = behind >> 31
        free[left] = old
    start[viewer] = begin
    room[viewer] = wanted
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
def _look(
    block: NDArray[np.uint32], ordered: int, videos: Serials, found: NDArray[np.uint32]
) -> None:
    for place in range(len(videos)):
        video = videos[place]
        low, high = 0, ordered
        while low < high:
            middle = (low + high) >> 1
            if block[middle, 0] < video:
                low = middle + 1
            else:
                high = middle
        if low < ordered and block[low, 0] == video:
            found[place] = block[low, 1:]
        for row in range(ordered, len(block)):
            if block[row, 0] == video:
                found[place, 0] = max(found[place, 0], block[row, 1])
                found[place, 1] = max(found[place, 1], block[row, 2])
                found[place, 2] += block[row, 3]
