"""Adjacency: before which videos of a page an ad may stand, by what is on either side.

A gap is named by the video behind it; its neighbours are that video and the one before. What nobody
has looked at counts as unsafe. Nothing stands before the first video of a page or behind its
last one, where a neighbour is not known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.compiled import compiled
from ads.lines import Line
from ads.page import Slot

Numbers = NDArray[np.int32]

PAGE_MAX = 64
"""The longest page whose gaps fit a word."""

SAFE, LIMITED, UNSAFE = 0, 1, 2
_CODES = {"safe": SAFE, "limited": LIMITED, "unsafe": UNSAFE, None: UNSAFE}


class Beside(NamedTuple):
    """What of a page matters to vetoes: the columns that each of its videos is in.

    `columns` of video i lie from `starts[i]` up to `starts[i + 1]`.
    """

    safety: NDArray[np.int8]
    starts: Numbers
    columns: Numbers


class Vetoes:
    """Who must not stand beside what: a column of rows for each author, category, keyword."""

    def __init__(self, lines: Sequence[Line]) -> None:
        rows: dict[int | str | tuple[str], list[int]] = {}
        for row, line in enumerate(lines):
            asked = line.suitability
            for author in asked.blocked_authors:
                rows.setdefault(author.int, []).append(row)
            for category in asked.blocked_categories:
                rows.setdefault((category,), []).append(row)
            for keyword in {each.casefold() for each in asked.blocked_keywords}:
                rows.setdefault(keyword, []).append(row)
        of = {value: place for place, value in enumerate(rows)}
        self._authors = {value: of[value] for value in rows if isinstance(value, int)}
        self._categories = {value[0]: of[value] for value in rows if isinstance(value, tuple)}
        self._keywords = {value: of[value] for value in rows if isinstance(value, str)}
        self._some_keywords = frozenset(self._keywords)
        columns = [bits.of_rows(found, len(lines)) for found in rows.values()]
        words = (len(lines) + bits.WORD - 1) // bits.WORD
        self.matrix = np.array(columns, np.uint64).reshape(len(columns), words)

    def beside(self, page: Sequence[Slot]) -> Beside:
        """Return what of a page is vetoed by anybody."""
        starts, columns = [0], list[int]()
        authors, categories = self._authors, self._categories
        for slot in page:
            if (author := slot.author_id.int) in authors:
                columns.append(authors[author])
            if (category := slot.category) in categories:
                columns.append(categories[category])
            if not self._some_keywords.isdisjoint(slot.keywords):
                columns += [self._keywords[each] for each in slot.keywords & self._some_keywords]
            starts.append(len(columns))
        safety = np.array([_CODES[slot.safety] for slot in page], np.int8)
        return Beside(safety, np.array(starts, np.int32), np.array(columns, np.int32))


@compiled
def gaps_by_tier(safety: NDArray[np.int8], first: int, out: bits.Words) -> None:
    """Write the gaps from `first` on that suit each tier: `full`, `standard`, `limited`."""
    out[:] = 0
    size = safety.shape[0]
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


@compiled
def allowed(
    gaps: np.uint64, vetoes: bits.Words, starts: Numbers, columns: Numbers, row: int
) -> np.uint64:
    """Return those of the gaps beside which there is nothing that the row's line vetoes."""
    if columns.shape[0] == 0:
        return gaps
    for video in range(starts.shape[0] - 1):
        for place in range(starts[video], starts[video + 1]):
            if bits.holds(vetoes[columns[place]], row):
                gaps &= ~(np.uint64(1) << np.uint64(video))
                if video + 1 < PAGE_MAX:
                    gaps &= ~(np.uint64(1) << np.uint64(video + 1))
                break
    return gaps
