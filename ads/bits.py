"""Sets of rows as words of 64 bits, and sets of gaps of a page as one such word."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ads.compiled import compiled

Words = NDArray[np.uint64]

WORD = 64

_DE_BRUIJN = 0x03F79D71B4CB0A89
_PLACES = np.zeros(WORD, np.int64)
for _bit in range(WORD):
    _PLACES[((_DE_BRUIJN << _bit) & ((1 << WORD) - 1)) >> 58] = _bit


def of_rows(rows: Iterable[int], size: int) -> Words:
    """Return the set of these rows among `size`."""
    words = np.zeros((size + WORD - 1) // WORD, np.uint64)
    for row in rows:
        words[row // WORD] |= np.uint64(1 << row % WORD)
    return words


@compiled
def lowest(word: np.uint64) -> int:
    """Return the place of the lowest bit that is set; there must be one."""
    alone = word & (~word + np.uint64(1))
    return int(_PLACES[(alone * np.uint64(_DE_BRUIJN)) >> np.uint64(58)])


@compiled
def holds(words: Words, row: int) -> bool:
    """Return whether a row is in the set."""
    return bool((words[row >> 6] >> np.uint64(row & 63)) & np.uint64(1))


@compiled
def has(word: np.uint64, place: int) -> bool:
    """Return whether a place is in the set of one word."""
    return bool((word >> np.uint64(place)) & np.uint64(1))


@compiled
def count(word: np.uint64) -> int:
    """Return how many places are in the set."""
    found = 0
    while word:
        word &= word - np.uint64(1)
        found += 1
    return found
