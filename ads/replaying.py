"""Replaying: recorded pages are decided once more, by the real decision, over other lines.

What a page shows is asked of `ads.insertion.decide` alone, with the seed that it had. Everybody
else can pay: what they have left is in their multipliers.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from ads.holds import NOBODY, Numbers
from ads.index import Index
from ads.insertion import Insertion, Placement, decide
from ads.lines import Line
from ads.probability import Probabilities
from ads.record import Context
from ads.rules import Rules
from ads.viewer import Viewer

_PATIENCE_US = 10**9


class Recorded(NamedTuple):
    """A page whose auction was recorded whole, and for how many pages it stands."""

    at_ms: int
    seed: int
    weight: float
    context: Context


class Market(NamedTuple):
    """Those who bid, at which part of their bids, by which rules and with which chances."""

    lines: Sequence[Line]
    multipliers: Mapping[UUID, float]
    rules: Rules = Rules()
    chances: Probabilities = Probabilities.prior()

    def index_with(self, line: Line, multiplier: float) -> Index:
        """Return the index of all lines and one, which takes the place of itself."""
        others = [each for each in self.lines if each.line_id != line.line_id]
        multipliers = {**self.multipliers, line.line_id: multiplier}
        return Index.of([line, *others], multipliers, 0, self.chances)


class Solvent:
    """Holds of those who can pay whatever they bid."""

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        """Let everybody pay."""
        del line_row, micros, now_ms, probability
        return 1

    def unfunded(self) -> Numbers:
        """Return nobody."""
        return NOBODY


def decided(index: Index, recorded: Recorded, viewer: Viewer, rules: Rules) -> Insertion:
    """Decide a recorded page once more, however long it takes."""
    # Others of this process go first: a page of the feed waits for one decision at most.
    time.sleep(0)
    patient = msgspec.structs.replace(rules, deadline_us=_PATIENCE_US)
    page = recorded.context.page
    return decide(index, viewer, page, Solvent(), patient, recorded.at_ms, recorded.seed)


def of_line(insertion: Insertion, line: Line) -> Placement | None:
    """Return where a line stands on a page."""
    found = (each for each in insertion.placements if each.line.line_id == line.line_id)
    return next(found, None)


def won(
    pages: Sequence[Recorded], market: Market, line: Line, multiplier: float
) -> Iterator[tuple[Placement, float] | None]:
    """Yield what a line wins of each page, and how likely it is billed; pages in order of time.

    What it has won is what its viewers were shown, later on.
    """
    index = market.index_with(line, multiplier)
    memory = dict[int, dict[int, tuple[int, ...]]]()
    for each in pages:
        viewer = each.context.viewer
        ours = memory.get(viewer.pseudonym)
        insertion = decided(index, each, _having_seen(viewer, ours), market.rules)
        placement = of_line(insertion, line)
        if placement is None:
            yield None
            continue
        ours = memory.setdefault(viewer.pseudonym, {})
        for of in line.ids_of(placement.creative).values():
            ours[of.int] = (*ours.get(of.int, ()), each.at_ms)
        yield placement, placement.p_billed * index.reach.item(placement.position)


def _having_seen(viewer: Viewer, ours: Mapping[int, tuple[int, ...]] | None) -> Viewer:
    """Return the viewer with what they would have been shown beside what they were."""
    if not ours:
        return viewer
    shown = dict(viewer.shown_ms)
    for of, times in ours.items():
        shown[of] = tuple(sorted((*shown.get(of, ()), *times)))
    return msgspec.structs.replace(viewer, shown_ms=shown)
