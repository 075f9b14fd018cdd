"""Adjacency: before which videos of a page an ad may stand, by what is on either side.

A gap is named by the video behind it; its neighbours are that video and the one before. What nobody
has looked at counts as unsafe. Nothing stands before the first video of a page or behind its
last one, where a neighbour is not known.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.compiled import inner
from ads.lines import Line
from ads.page import Safety, Slot

Numbers = NDArray[np.int32]

_Value = TypeVar("_Value", int, str)
_Seen = tuple[int, str | None, frozenset[str], Safety | None]

PAGE_MAX = 64
"""The longest page whose gaps fit a word."""

SAFE, LIMITED, UNSAFE = 0, 1, 2
_CODES: Mapping[Safety | None, int] = {
    "safe": SAFE,
    "limited": LIMITED,
    "unsafe": UNSAFE,
    None: UNSAFE,
}


_KNOWN_MAX = 1 << 13


class Vetoes:
    """Who must not stand beside what: a column for each author, category, keyword vetoed at all.

    Those of a row are `columns`, from `starts[row]` up to `starts[row + 1]`.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self._authors: dict[int, int] = {}
        self._categories: dict[str, int] = {}
        self._keywords: dict[str, int] = {}
        self._known: dict[_Seen, bytes] = {}
        self.count = 0
        starts, columns = [0], list[int]()
        for line in lines:
            asked = line.suitability
            columns += [self._column(self._authors, each.int) for each in asked.blocked_authors]
            columns += [self._column(self._categories, each) for each in asked.blocked_categories]
            keywords = {each.casefold() for each in asked.blocked_keywords}
            columns += [self._column(self._keywords, each) for each in keywords]
            starts.append(len(columns))
        self._some_keywords = frozenset(self._keywords)
        self.starts = np.array(starts, np.int32)
        self.columns = np.array(columns, np.int32)

    def _column(self, of: dict[_Value, int], value: _Value) -> int:
        found = of.get(value)
        if found is None:
            found = of[value] = self.count
            self.count += 1
        return found

    def read(self, page: Sequence[Slot]) -> Numbers:
        """Return what of a page matters: of each video -1 less its safety, then its columns.

        Most videos come by again and again, so what was read of them is kept.
        """
        known, found = self._known, list[bytes]()
        for slot in page:
            seen = slot.author_id.int, slot.category, slot.keywords, slot.safety
            read = known.get(seen)
            if read is None:
                if len(known) >= _KNOWN_MAX:
                    known.clear()
                read = known[seen] = self._read(*seen)
            found.append(read)
        return np.frombuffer(b"".join(found), np.int32)

    def _read(
        self, author: int, category: str | None, keywords: frozenset[str], safety: Safety | None
    ) -> bytes:
        columns = [self._authors.get(author)]
        if category is not None:
            columns.append(self._categories.get(category))
        columns += [self._keywords[each] for each in keywords & self._some_keywords]
        vetoed = [each for each in columns if each is not None]
        return np.array([-1 - _CODES[safety], *vetoed], np.int32).tobytes()


@inner
def read(page: Numbers, beside: bits.Words, safety: NDArray[np.int8]) -> int:
    """Write the videos in each column, and the safety of each video; return how many there are."""
    video = -1
    for place in range(page.shape[0]):
        code = page[place]
        if code < 0:
            video += 1
            safety[video] = -1 - code
        else:
            beside[code] |= np.uint64(1) << np.uint64(video)
    return video + 1


@inner
def gaps_by_tier(safety: NDArray[np.int8], size: int, first: int, out: bits.Words) -> None:
    """Write the gaps from `first` on that suit each tier: `full`, `standard`, `limited`."""
    out[:] = 0
    for gap in range(max(first, 1), size):
        bit = np.uint64(1) << np.uint64(gap)
        worst = max(safety[gap - 1], safety[gap])
        if worst < UNSAFE:
            out[0] |= bit
        if worst == SAFE:
            out[1] |= bit
            further = worst
            if gap >= 2:  # noqa: PLR2004 - the second one on its side
                further = max(further, safety[gap - 2])
            if gap + 1 < size:
                further = max(further, safety[gap + 1])
            if further == SAFE:
                out[2] |= bit


@inner
def near(beside: bits.Words, columns: Numbers, first: int, last: int) -> np.uint64:
    """Return the gaps beside which there is something of these columns."""
    videos = np.uint64(0)
    for place in range(first, last):
        videos |= beside[columns[place]]
    return np.uint64(videos | (videos << np.uint64(1)))
