"""Showings: what was reported of each video on each page, so that a report adds what is new in it.

An app reports how long a video was watched until now, as often as it likes. Who reads the view log
needs to know what the report before had said, and on which kind of feed the page was. A page can be
reported on for a day, so two days are kept; which, the log's own times decide.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.columns import Column
from ranking.compiled import compiled
from ranking.deeds import FIRST, NOTHING, SURFACE_BY_FEED, Deeds, Kind, Surface
from ranking.keys import Keys, Words, words
from ranking.views import IDs, Slates, ViewColumns, Viewings

DAY_MS = 86_400_000

Numbers = NDArray[np.int32]
Find = Callable[[bytes], Numbers]


class _Day:
    """The pages and showings of a day of the log."""

    def __init__(self) -> None:
        self.pages = Keys(2)
        self.surface: Column[np.int8] = Column(np.int8)
        self.showings = Keys(3)
        # Watched (ms) and loops until now.
        self.told: Column[np.int32] = Column(np.int32, (2,))
        # When it was first reported, 0 if never.
        self.first_ms: Column[np.int64] = Column(np.int64)


class Showings:
    """Makes deeds of a stretch of the view log, in its order."""

    def __init__(self) -> None:
        self._number = 0
        self._day = _Day()
        self._before = _Day()
        self._latest_ms = 0

    def deeds(self, columns: ViewColumns, accounts: Find, videos: Find) -> Deeds:
        """Return what was served and watched, one deed for each video on each page and report."""
        merged = _merged(columns, accounts, videos)
        if not len(merged.rows):
            return merged.rows
        latest_ms = np.maximum.accumulate(np.maximum(merged.rows.at_ms, self._latest_ms))
        self._latest_ms = int(latest_ms[-1])
        days = latest_ms // DAY_MS
        cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        for start, end in pairwise(cuts):
            self._turn_to(int(days[start]))
            self._tell(merged.rows.take(slice(start, end)), merged.decisions[start:end])
        return merged.rows

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        return [
            b"%d %d" % (self._number, self._latest_ms),
            *(
                part.tobytes()
                for day in (self._day, self._before)
                for part in (
                    day.pages.names,
                    day.surface.rows,
                    day.showings.names,
                    day.told.rows,
                    day.first_ms.rows,
                )
            ),
        ]

    def _turn_to(self, number: int) -> None:
        if number == self._number:
            return
        self._before = self._day if number == self._number + 1 else _Day()
        self._day = _Day()
        self._number = number

    def _tell(self, rows: Deeds, decisions: Words) -> None:
        """Fill in what earlier reports had said, in place."""
        pages = self._pages(decisions)
        whose = (rows.viewer.astype(np.int64) << 32) | (rows.video.astype(np.int64) & 0xFFFFFFFF)
        names = np.column_stack([decisions, whose.view(np.uint64)])
        watches = np.flatnonzero(rows.kind == Kind.WATCH)
        showings = np.full(len(rows), NOTHING, np.int32)
        showings[watches] = self._showings(names[watches])
        _tell(
            rows.kind, rows.at_ms, rows.value, rows.extra, rows.before, rows.extra_before,
            rows.surface, pages, showings, self._day.surface.rows, self._day.told.rows,
            self._day.first_ms.rows,
        )  # fmt: skip

    def _pages(self, decisions: Words) -> Numbers:
        day, known = self._day, len(self._day.pages)
        found = day.pages.number(decisions)
        day.surface.reach(len(day.pages))
        earlier = self._before.pages.find(day.pages.names[known:])
        of_before = np.flatnonzero(earlier >= 0)
        day.surface.rows[known + of_before] = self._before.surface.rows[earlier[of_before]]
        return found

    def _showings(self, names: Words) -> Numbers:
        day, known = self._day, len(self._day.showings)
        found = day.showings.number(names)
        day.told.reach(len(day.showings))
        day.first_ms.reach(len(day.showings))
        earlier = self._before.showings.find(day.showings.names[known:])
        of_before = np.flatnonzero(earlier >= 0)
        day.told.rows[known + of_before] = self._before.told.rows[earlier[of_before]]
        day.first_ms.rows[known + of_before] = self._before.first_ms.rows[earlier[of_before]]
        return found


class _Merged:
    """Both parts of a stretch as deeds in the order of the log, and the page of each."""

    def __init__(self, rows: Deeds, decisions: Words) -> None:
        self.rows = rows
        self.decisions = decisions


def _merged(columns: ViewColumns, accounts: Find, videos: Find) -> _Merged:
    viewings, slates = columns.viewings, columns.slates
    repeated = np.repeat(np.arange(len(slates.position)), slates.counts)
    position = np.concatenate([viewings.position, slates.position[repeated]])
    order = np.argsort(position, kind="stable")
    rows = Deeds.joined(
        [_watches(viewings, accounts, videos), _impressions(slates, repeated, accounts, videos)]
    )
    decisions = np.concatenate([_words(viewings.decision), _words(slates.decision)[repeated]])
    return _Merged(rows.take(order), decisions[order])


def _watches(viewings: Viewings, accounts: Find, videos: Find) -> Deeds:
    rows = Deeds.empty(len(viewings.position))
    rows.kind[:] = Kind.WATCH
    rows.at_ms[:] = viewings.at_ms
    rows.viewer[:] = accounts(viewings.viewer.tobytes())
    rows.video[:] = videos(viewings.video.tobytes())
    rows.value[:] = viewings.watched_ms
    rows.extra[:] = viewings.loops
    return rows


def _impressions(
    slates: Slates, repeated: NDArray[np.int64], accounts: Find, videos: Find
) -> Deeds:
    rows = Deeds.empty(len(repeated))
    surfaces = [SURFACE_BY_FEED.get(feed, Surface.UNKNOWN) for feed in slates.feed]
    rows.kind[:] = Kind.IMPRESSION
    rows.at_ms[:] = slates.at_ms[repeated]
    rows.viewer[:] = accounts(slates.viewer.tobytes())[repeated]
    rows.video[:] = videos(slates.videos.tobytes())
    rows.surface[:] = np.array(surfaces, np.int8)[repeated]
    return rows


def _words(ids: IDs) -> Words:
    return words(ids.tobytes())


@compiled
def _tell(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    kind: NDArray[np.int8],
    at_ms: NDArray[np.int64],
    value: Numbers,
    extra: Numbers,
    before: Numbers,
    extra_before: Numbers,
    surface: NDArray[np.int8],
    pages: Numbers,
    showings: Numbers,
    page_surface: NDArray[np.int8],
    told: NDArray[Any],
    first_ms: NDArray[np.int64],
) -> None:
    for row in range(len(kind)):
        showing = showings[row]
        if showing < 0:
            page_surface[pages[row]] = surface[row]
            continue
        surface[row] = page_surface[pages[row]]
        if first_ms[showing] == 0:
            first_ms[showing] = max(at_ms[row], 1)
            before[row] = FIRST
            extra_before[row] = FIRST
        else:
            before[row] = told[showing, 0]
            extra_before[row] = told[showing, 1]
            # A report that comes late says less than one that was stored before it.
            value[row] = max(value[row], before[row])
            extra[row] = max(extra[row], extra_before[row])
        at_ms[row] = first_ms[showing]
        told[showing, 0] = value[row]
        told[showing, 1] = extra[row]
