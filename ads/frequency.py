"""Frequency caps: how often one viewer was shown what, counting what is on its way to them.

An ad counts from its decision on, so that pages which are fetched at once cannot exceed a cap; one
that was never seen stops counting when its token has expired.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from ads.lines import Cap, Line, Scope
from ads.viewer import Shown

_Entry = tuple[int, int, int]


class Showing(msgspec.Struct, frozen=True):
    """An ad that was served: seen once its viewable impression was reported.

    `ids` is what it counts for (`Line.ids_of`), `expires_ms` when its token is no longer good.
    """

    ids: Mapping[Scope, UUID]
    decided_ms: int
    expires_ms: int
    seen: bool


def shown(showings: Iterable[Showing], now_ms: int) -> Shown:
    """Return when what was shown, by scope and ID: what was seen, and what still may be."""
    times: dict[int, list[int]] = {}
    for each in showings:
        if each.seen or now_ms < each.expires_ms:
            for of in each.ids.values():
                times.setdefault(of.int, []).append(each.decided_ms)
    return {of: tuple(sorted(found)) for of, found in times.items()}


class Caps:
    """The caps of the lines of an index, by what they count: rows of lines, places of creatives."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._of_rows: dict[int, list[_Entry]] = {}
        self._of_creatives: dict[int, list[_Entry]] = {}
        self._rows: dict[int, int] = {}
        self._never: tuple[list[int], list[int]] = ([], [])
        place = 0
        for row, line in enumerate(lines):
            self._rows[line.line_id.int] = row
            for cap in line.caps:
                if cap.scope == "creative":
                    for at, creative in enumerate(line.creatives, place):
                        self._add(self._of_creatives, 1, creative.creative_id, at, cap)
                else:
                    of = line.ids_of(line.creatives[0])[cap.scope]
                    self._add(self._of_rows, 0, of, row, cap)
            place += len(line.creatives)

    def _add(
        self, entries: dict[int, list[_Entry]], kind: int, of: UUID, at: int, cap: Cap
    ) -> None:
        if cap.count:
            entries.setdefault(of.int, []).append((at, cap.count, 1000 * cap.window_s))
        else:  # a cap of nothing holds before anything was shown
            self._never[kind].append(at)

    def reached(self, shown_ms: Shown, now_ms: int) -> tuple[list[int], list[int]]:
        """Return the rows, and the places of creatives, that this viewer may not be shown now."""
        return (
            self._never[0] + _full(self._of_rows, shown_ms, now_ms),
            self._never[1] + _full(self._of_creatives, shown_ms, now_ms),
        )

    def tired(self, shown_ms: Shown) -> list[tuple[int, int]]:
        """Return the rows of lines that were shown to this viewer before, and how often."""
        find = self._rows.get
        return [
            (row, len(times)) for of, times in shown_ms.items() if (row := find(of)) is not None
        ]


def _full(entries: Mapping[int, list[_Entry]], shown_ms: Shown, now_ms: int) -> list[int]:
    if not entries:
        return []
    # Where the last `count` showings are within the window, one more would be too many.
    return [
        at
        for of, times in shown_ms.items()
        if of in entries
        for at, count, window_ms in entries[of]
        if count <= len(times) and now_ms - times[-count] < window_ms
    ]
