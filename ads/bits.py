"""Sets of rows as words of 64 bits, and sets of gaps of a page as one such word."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ads.compiled import borrowing

Words = NDArray[np.uint64]

WORD = 64

_DE_BRUIJN = 0x03F79D71B4CB0A89
_PLACES = np.zeros(WORD, np.int64)
for _bit in range(WORD):
    _PLACES[((_DE_BRUIJN << _bit) & ((1 << WORD) - 1)) >> 58] = _bit


def of_rows(rows: Iterable[int], size: int) -> Words:
    """Return the set of these rows among `size`."""
    flags = np.zeros(-size % WORD + size, np.bool_)
    flags[np.fromiter(rows, np.intp)] = True
    return of_flags(flags)


def of_flags(flags: NDArray[np.bool_]) -> Words:
    """Return the set of the rows whose flag is up."""
    padded = np.pad(flags, (0, -len(flags) % WORD))
    return np.packbits(padded, bitorder="little").view(np.uint64)


@borrowing
def lowest(word: np.uint64) -> int:
    """Return the place of the lowest bit that is set; there must be one."""
    alone = word & (~word + np.uint64(1))
    return int(_PLACES[(alone * np.uint64(_DE_BRUIJN)) >> np.uint64(58)])


@borrowing
def holds(words: Words, row: int) -> bool:
    """Return whether a row is in the set."""
    return bool((words[row >> 6] >> np.uint64(row & 63)) & np.uint64(1))


@borrowing
def has(word: np.uint64, place: int) -> bool:
    """Return whether a place is in the set of one word."""
    return bool((word >> np.uint64(place)) & np.uint64(1))


@borrowing
def count(words: Words) -> int:
    """Return how many rows are in the set."""
    found = np.uint64(0)
    for word in range(words.shape[0]):
        left = words[word]
        left -= (left >> np.uint64(1)) & np.uint64(0x5555555555555555)
        pairs = left & np.uint64(0x3333333333333333)
        left = pairs + ((left >> np.uint64(2)) & np.uint64(0x3333333333333333))
        left = (left + (left >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        found += (left * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return int(found)


@borrowing
def nth(words: Words, number: int) -> int:
    """Return the row of this number, from 0 on, in the set; -1 where there are not as many."""
    for word in range(words.shape[0]):
        left = words[word]
        while left:
            if number == 0:
                return (word << 6) + lowest(left)
            number -= 1
            left &= left - np.uint64(1)
    return -1


@borrowing
def nth_of(word: np.uint64, number: int) -> int:
    """Return the place of this number, from 0 on, in the set of one word; -1 where it has fewer."""
    while word:
        if number == 0:
            return lowest(word)
        number -= 1
        word &= word - np.uint64(1)
    return -1


@borrowing
def size(word: np.uint64) -> int:
    """Return how many places are in the set of one word."""
    found = 0
    while word:
        word &= word - np.uint64(1)
        found += 1
    return found
