"""Targeting: the rows of the lines that are for a viewer, by a column of bits for each value.

A column holds the lines that ask for its value and those that ask for none, so that a viewer's
lines are an AND over the axes; interests are an OR first. Minors, and whoever asks for contextual
ads, have no age and no interests here.
"""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ads import bits
from ads.compiled import borrowing
from ads.lines import Line
from ads.viewer import Viewer

Numbers = NDArray[np.int32]

_COUNTRY, _LANGUAGE, _AGE, _PLATFORM, _INTERESTS, _CATEGORY = range(6)


class Columns:
    """The columns of an index, (columns, words); those of nobody's value are the first ones."""

    def __init__(self, lines: Sequence[Line]) -> None:
        none, asked = _asked(lines)
        columns = [bits.of_rows(rows, len(lines)) for rows in none]
        self._of: dict[tuple[int, str], int] = {}
        for (axis, value), rows in asked.items():
            self._of[axis, value] = len(columns)
            column = bits.of_rows(rows, len(lines))
            columns.append(column if axis == _CATEGORY else column | columns[axis])
        self.matrix = np.stack(columns)
        self._of_advertiser: dict[UUID, list[int]] = {}
        for row, line in enumerate(lines):
            self._of_advertiser.setdefault(line.advertiser_id, []).append(row)

    def of(self, viewer: Viewer, adult: frozenset[str]) -> tuple[Numbers, int, int]:
        """Return the columns of a viewer, and two places among them.

        All before the first place must hold, one from there on, and none from the second one on.
        """
        find = self._of.get
        contextual = viewer.is_minor or viewer.contextual_only
        columns = [
            find((_COUNTRY, viewer.country), _COUNTRY),
            find((_LANGUAGE, viewer.language), _LANGUAGE),
            _AGE if contextual else find((_AGE, viewer.age_band), _AGE),
            find((_PLATFORM, viewer.platform), _PLATFORM),
        ]
        some = len(columns)
        columns.append(_INTERESTS)
        if not contextual:
            columns += [at for each in viewer.interests if (at := find((_INTERESTS, each)))]
        never = len(columns)
        closed = viewer.hidden_categories
        if viewer.is_minor:
            closed |= adult
        columns += [at for each in closed if (at := find((_CATEGORY, each)))]
        return np.array(columns, np.int32), some, never

    def hidden(self, viewer: Viewer) -> list[int]:
        """Return the rows of the advertisers that the viewer has hidden."""
        find = self._of_advertiser.get
        return [row for each in viewer.hidden_advertisers for row in find(each, ())]


@borrowing
def mark(matrix: bits.Words, columns: Numbers, some: int, never: int, out: bits.Words) -> None:
    """Write the rows that are in all columns before `some`, and as `Columns.of` says in others."""
    for word in range(matrix.shape[1]):
        found = matrix[columns[0], word]
        for place in range(1, some):
            found &= matrix[columns[place], word]
        if found:
            any_of = np.uint64(0)
            for place in range(some, never):
                any_of |= matrix[columns[place], word]
            found &= any_of
            for place in range(never, columns.shape[0]):
                found &= ~matrix[columns[place], word]
        out[word] = found


def _asked(
    lines: Sequence[Line],
) -> tuple[list[list[int]], dict[tuple[int, str], list[int]]]:
    """Return the rows that ask for nothing on each axis, and those that ask for each value."""
    none: list[list[int]] = [[] for _ in range(_CATEGORY)]
    asked: dict[tuple[int, str], list[int]] = {}
    for row, line in enumerate(lines):
        want = line.targeting
        axes = want.countries, want.languages, want.age_bands, want.platforms, want.interests
        for axis, values in enumerate(axes):
            for value in values:
                asked.setdefault((axis, value), []).append(row)
            if not values:
                none[axis].append(row)
        for category in {line.category, *(each.category for each in line.creatives)}:
            asked.setdefault((_CATEGORY, category), []).append(row)
    return none, asked
