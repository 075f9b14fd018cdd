"""What recorded pages would be worth to each line today, and when of the day they came.

Read by the pacer. A page counts for a line that may be shown on it, at what the line bids for the
viewer; how often the line has been shown before, and to whom, is as it was recorded.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from ads import probability
from ads.days import bounds_ms
from ads.index import Floats, Index
from ads.lines import KINDS, Line
from ads.probability import EVENTS, Probabilities
from ads.targets import SLICES
from ads.viewer import Viewer


class Opportunity(NamedTuple):
    """A page of the past: when it was, who looked at it, and for how many it stands."""

    at_ms: int
    viewer: Viewer
    weight: float


class Day(NamedTuple):
    """A day of an advertiser's, made of instants."""

    begins_ms: int
    ends_ms: int

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> "Day":
        """Return a local date, which may last 23 or 25 hours."""
        return cls(*bounds_ms(day, zone))

    def share(self, at_ms: int) -> float:
        """Return which part of the day has passed by then, in [0, 1]."""
        return min(max((at_ms - self.begins_ms) / (self.ends_ms - self.begins_ms), 0.0), 1.0)


class Coming(NamedTuple):
    """What is expected of a day, by rows of an index.

    `value` is of (slices, lines), in micros of what the line bids; `pages` counts the recorded
    pages that it is made of; `is_open` says in which slices the flight and the hours of a line let
    it run.
    """

    value: Floats
    pages: Floats
    is_open: Floats


def coming(
    index: Index, days: Sequence[Day], opportunities: Iterable[Opportunity], slices: int = SLICES
) -> Coming:
    """Play recorded pages again as if they came today.

    Args:
        index: the lines, with whole bids.
        days: the present day of each row.
        opportunities: of one day, from anywhere in the past.
        slices: into how many equal parts a day is cut.
    """
    begins = np.array([day.begins_ms for day in days], np.float64)
    lasts = np.array([day.ends_ms - day.begins_ms for day in days], np.float64)
    bids = np.array([line.bid_micros for line in index.lines], np.float64)
    kinds = np.array([KINDS.index(line.kind) for line in index.lines], np.int64)
    value, pages = np.zeros((slices, len(index))), np.zeros(len(index))
    for at_ms, viewer, weight in opportunities:
        today_ms = at_ms + _shift_ms(at_ms, begins)
        rows = index.eligible(_moved(viewer, today_ms - at_ms), today_ms)
        # In each zone the day has begun at another instant, so the slices differ as well.
        passed = ((today_ms - begins[rows]) % lasts[rows]) / lasts[rows]
        place = np.minimum((passed * slices).astype(np.int64), slices - 1)
        chances = _chances(index.probabilities, viewer)
        value[place, rows] += weight * bids[rows] * chances[kinds[rows]]
        pages[rows] += 1.0
    return Coming(value, pages, _open(index.lines, begins, lasts, slices))


def _shift_ms(at_ms: int, begins: Floats) -> int:
    """Return by how many whole days a page is moved so that it lies in the present."""
    day_ms = 86_400_000
    return -int((at_ms - begins.max(initial=0.0)) // day_ms) * day_ms


def _moved(viewer: Viewer, by_ms: int) -> Viewer:
    """Return the viewer with what they were shown as long ago as it was then."""
    if not viewer.shown_ms:
        return viewer
    shown = {id_: tuple(at + by_ms for at in times) for id_, times in viewer.shown_ms.items()}
    return msgspec.structs.replace(viewer, shown_ms=shown)


def _chances(learnt: Probabilities, viewer: Viewer) -> Floats:
    """Return how likely the viewer does what each kind is billed for, whatever the ad."""
    features = probability.features_of_viewer(viewer)
    heads = [learnt.head(event) for event in EVENTS]
    logits = np.array([head.intercept + head.sum_of(features) for head in heads])
    chances: Floats = 1 / (1 + np.exp(-logits))
    return chances


def _open(lines: Sequence[Line], begins: Floats, lasts: Floats, slices: int) -> Floats:
    """Return in which slices flights and hours let lines run: (slices, lines) of 0 and 1."""
    middles = begins + lasts * ((np.arange(slices)[:, None] + 0.5) / slices)
    flown = np.array([(line.flight_from_ms, line.flight_until_ms) for line in lines], np.float64)
    flights = flown.reshape(-1, 2)
    is_open = ((flights[:, 0] <= middles) & (middles < flights[:, 1])).astype(np.float64)
    for row, line in enumerate(lines):
        if line.daypart is not None:
            zone = ZoneInfo(line.zone)
            local = [datetime.fromtimestamp(at_ms / 1000, zone) for at_ms in middles[:, row]]
            is_open[:, row] *= [line.daypart[24 * at.weekday() + at.hour] for at in local]
    return is_open
