"""Frequency caps: how often one viewer was shown what, counting what is on its way to them.

An ad counts from its decision on, so that pages which are fetched at once cannot exceed a cap; one
that was never seen stops counting when its token has expired.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from ads.lines import Line, Scope
from ads.viewer import Shown

Key = tuple[Scope, UUID]


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
    times: dict[Key, list[int]] = {}
    for each in showings:
        if each.seen or now_ms < each.expires_ms:
            for key in each.ids.items():
                times.setdefault(key, []).append(each.decided_ms)
    return {key: tuple(sorted(found)) for key, found in times.items()}


class Caps:
    """The caps of the lines of an index, by what they count.

    What `rows` are capped by stands beside the count and the window (ms) of each; a creative's
    caps name the places of creatives, not of lines.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self._of: dict[Key, list[tuple[int, int, int]]] = {}
        self._rows: dict[UUID, int] = {}
        place = 0
        for row, line in enumerate(lines):
            self._rows[line.line_id] = row
            for creative in line.creatives:
                ids = line.ids_of(creative)
                for cap in line.caps:
                    at = place if cap.scope == "creative" else row
                    entry = (at, cap.count, 1000 * cap.window_s)
                    entries = self._of.setdefault((cap.scope, ids[cap.scope]), [])
                    if entry not in entries[-len(line.caps) :]:
                        entries.append(entry)
                place += 1
        # A cap of nothing holds before anything was shown.
        self._never = [
            (scope == "creative", at)
            for (scope, _), entries in self._of.items()
            for at, count, _ in entries
            if count == 0
        ]

    def reached(self, shown_ms: Shown, now_ms: int) -> tuple[list[int], list[int]]:
        """Return the rows, and the places of creatives, that this viewer may not be shown now."""
        rows = [at for is_creative, at in self._never if not is_creative]
        creatives = [at for is_creative, at in self._never if is_creative]
        for key, times in shown_ms.items():
            entries = self._of.get(key)
            if entries is None:
                continue
            capped = creatives if key[0] == "creative" else rows
            for at, count, window_ms in entries:
                # The last `count` showings are within the window: one more would be too many.
                if 0 < count <= len(times) and now_ms - times[-count] < window_ms:
                    capped.append(at)
        return rows, creatives

    def tired(self, shown_ms: Shown) -> list[tuple[int, int]]:
        """Return the rows of lines that were shown to this viewer before, and how often."""
        return [
            (row, len(times))
            for (scope, of), times in shown_ms.items()
            if scope == "line" and (row := self._rows.get(of)) is not None
        ]
