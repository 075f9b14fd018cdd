"""Keys: numbers for what is named by IDs or by pairs, in the order in which each first came.

A table of open addressing over arrays, filled and asked a batch at a time.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

Words = NDArray[np.uint64]
Numbers = NDArray[np.int32]

_CHUNK = 8192
_AT_FIRST = 1024
_UNASKED = -2


class Keys:
    """Numbers rows of `width` words of 64 bits from 0 on; a key keeps its number."""

    def __init__(self, width: int = 1, *, room: int = _AT_FIRST) -> None:
        self._width = width
        self._count = 0
        self._names: Words = np.zeros((room, width), np.uint64)
        # A slot: a key, and its number plus one; they lie together, so that a look costs one wait.
        self._slots: Words = np.zeros((2 * room, width + 1), np.uint64)

    def __len__(self) -> int:
        return self._count

    @property
    def names(self) -> Words:
        """The keys in the order of their numbers, (count, width)."""
        return self._names[: self._count]

    def number(self, keys: Words) -> Numbers:
        """Return the number of each key, (n, width), a new one where it has none yet."""
        found = np.empty(len(keys), np.int32)
        for start in range(0, len(keys), _CHUNK):
            some = keys[start : start + _CHUNK]
            self._make_room(len(some))
            self._count = _number(
                self._slots, self._names, self._count, some, found[start : start + len(some)]
            )
        return found

    def find(self, keys: Words) -> Numbers:
        """Return the number of each key, (n, width), -1 where it has none."""
        found = np.empty(len(keys), np.int32)
        _find(self._slots, keys, found)
        return found

    def find_few(self, first: int, seconds: NDArray[np.int32], kinds: int) -> Numbers:
        """Return the number of one with each of some below `kinds`, which repeat, -1 for none."""
        found = np.empty(len(seconds), np.int32)
        key = np.zeros((1, 1), np.uint64)
        once = np.full(kinds, _UNASKED, np.int32)
        _find_few(self._slots, key, first, seconds, once, found)
        return found

    def find_pairs(self, firsts: NDArray[np.int32], seconds: NDArray[np.int32]) -> Numbers:
        """Return the number of each pair, -1 where it has none or one of it is negative."""
        found = np.empty(len(seconds), np.int32)
        _find_pairs(self._slots, np.zeros((1, 1), np.uint64), firsts, seconds, found)
        return found

    def _make_room(self, more: int) -> None:
        room = len(self._names)
        while room < self._count + more:
            room *= 2
        if room == len(self._names):
            return
        names = np.zeros((room, self._width), np.uint64)
        names[: self._count] = self._names[: self._count]
        self._names = names
        self._slots = np.zeros((2 * room, self._width + 1), np.uint64)
        _enter(self._slots, self._names, self._count)


def pairs(firsts: NDArray[np.int32], seconds: NDArray[np.int32]) -> Words:
    """Return one key of one word for each pair of numbers that are not negative."""
    packed = (firsts.astype(np.int64) << 32) | seconds.astype(np.int64)
    return packed.view(np.uint64).reshape(-1, 1)


def words(ids: bytes) -> Words:
    """Return the keys of IDs of 16 bytes each, behind one another: (n, 2)."""
    return np.frombuffer(ids, np.dtype("<u8")).reshape(-1, 2).astype(np.uint64, copy=False)


@compiled
def _mixed(names: Words, row: int) -> np.uint64:
    mixed = np.uint64(0x9E3779B97F4A7C15)
    for word in range(names.shape[1]):
        mixed ^= names[row, word]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed


@compiled
def _place(slots: Words, keys: Words, row: int) -> int:
    """Return the slot of a key, or the empty one where it belongs."""
    width = keys.shape[1]
    mask = np.uint64(len(slots) - 1)
    at = _mixed(keys, row) & mask
    while slots[at, width] != 0:
        is_same = True
        for word in range(width):
            if slots[at, word] != keys[row, word]:
                is_same = False
                break
        if is_same:
            break
        at = (at + np.uint64(1)) & mask
    return int(at)


@compiled
def _number(slots: Words, names: Words, count: int, keys: Words, found: Numbers) -> int:
    width = keys.shape[1]
    for row in range(len(keys)):
        at = _place(slots, keys, row)
        if slots[at, width] == 0:
            for word in range(width):
                slots[at, word] = keys[row, word]
                names[count, word] = keys[row, word]
            count += 1
            slots[at, width] = count
        found[row] = np.int64(slots[at, width]) - 1
    return count


@compiled
def _find(slots: Words, keys: Words, found: Numbers) -> None:
    for row in range(len(keys)):
        found[row] = np.int64(slots[_place(slots, keys, row), keys.shape[1]]) - 1


@compiled
def _find_pairs(
    slots: Words,
    key: Words,
    firsts: NDArray[np.int32],
    seconds: NDArray[np.int32],
    found: Numbers,
) -> None:
    for row in range(len(seconds)):
        found[row] = -1
        if firsts[row] >= 0 and seconds[row] >= 0:
            key[0, 0] = np.uint64((np.int64(firsts[row]) << 32) | np.int64(seconds[row]))
            found[row] = np.int64(slots[_place(slots, key, 0), 1]) - 1


@compiled
def _find_few(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    slots: Words,
    key: Words,
    first: int,
    seconds: NDArray[np.int32],
    once: Numbers,
    found: Numbers,
) -> None:
    for row in range(len(seconds)):
        second = seconds[row]
        if once[second] == _UNASKED:
            key[0, 0] = np.uint64((np.int64(first) << 32) | np.int64(second))
            once[second] = np.int64(slots[_place(slots, key, 0), 1]) - 1
        found[row] = once[second]


@compiled
def _enter(slots: Words, names: Words, count: int) -> None:
    width = names.shape[1]
    for row in range(count):
        at = _place(slots, names, row)
        for word in range(width):
            slots[at, word] = names[row, word]
        slots[at, width] = row + 1
