"""Frequency caps: how often one viewer was shown what, counting what is on its way to them.

An ad counts from its decision on, so that pages which are fetched at once cannot exceed a cap; one
that was never seen stops counting when its token has expired.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from ads.lines import Line, Scope
from ads.viewer import Shown

_Entry = tuple[int, int, int, int]


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
        self._rows: dict[int, int] = {}
        self._entries: dict[int, list[_Entry]] = {}
        self._never_rows: list[int] = []
        self._never_creatives: list[int] = []
        place = 0
        for row, line in enumerate(lines):
            self._rows[line.line_id.int] = row
            for cap in line.caps:
                if not cap.count:  # it holds before anything was shown
                    if cap.scope == "creative":
                        self._never_creatives += range(place, place + len(line.creatives))
                    else:
                        self._never_rows.append(row)
                    continue
                window_ms = 1000 * cap.window_s
                if cap.scope == "creative":
                    for at, creative in enumerate(line.creatives, place):
                        entry = 1, at, cap.count, window_ms
                        self._entries.setdefault(creative.creative_id.int, []).append(entry)
                else:
                    entry = 0, row, cap.count, window_ms
                    of = _counted(line, cap.scope).int
                    self._entries.setdefault(of, []).append(entry)
            place += len(line.creatives)

    def reached(self, shown_ms: Shown, now_ms: int) -> tuple[list[int], list[int], list[int]]:
        """Return what this viewer may not be shown now, and has been shown.

        Rows, places of creatives, and, one after the other, rows of lines that were shown to this
        viewer before and how often.
        """
        out, tired = ([*self._never_rows], [*self._never_creatives]), list[int]()
        row_of, entries_of, none = self._rows.get, self._entries.get, ()
        for of, times in shown_ms.items():
            row = row_of(of)
            if row is not None:
                tired += row, len(times)
            for kind, at, count, window_ms in entries_of(of, none):
                # The last `count` showings are within the window: one more would be too many.
                if count <= len(times) and now_ms - times[-count] < window_ms:
                    out[kind].append(at)
        return *out, tired


def _counted(line: Line, scope: Scope) -> UUID:
    if scope == "line":
        return line.line_id
    return line.campaign_id if scope == "campaign" else line.advertiser_id
