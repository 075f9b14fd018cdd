"""The index: every line that may be shown now, as columns. Immutable; an edit makes another one.

Rows are in the order of what a showing is expected to bring, the best first, so that a search
through them soon knows what is not worth a look.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, Self, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ads import bits, calibration, probability, targeting
from ads.adjacency import Vetoes
from ads.compiled import borrowing
from ads.flights import Flights
from ads.frequency import Caps
from ads.lines import KINDS, TIERS, Line
from ads.outside import Outside
from ads.probability import EVENTS, Probabilities
from ads.rules import ADULT
from ads.viewer import Viewer

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Numbers = NDArray[np.int32]

_LOG_ODDS_SPAN = 30.0
_KNOWN_MAX = 1 << 12
# More than what two ways to the same sum differ by.
_ROUNDING = 1.0 + 1e-9
_EVENT = range(len(EVENTS))
_Found = TypeVar("_Found", bound=Hashable)


class Table(NamedTuple):
    """What loops read of the rows. `bid` is in micros for one billed event, multiplied.

    `targets` and `tiers` are sets of rows; `value` is what a showing brings on average, never more
    than in the row before. `terms` are log-odds by creative, whose row is its `owner`, and event.
    `blocked` are columns of vetoes, those of a row from `blocks[row]` up to `blocks[row + 1]`.
    """

    targets: bits.Words
    tiers: bits.Words
    bid: Floats
    value: Floats
    kind: NDArray[np.int8]
    tier: NDArray[np.int8]
    advertiser: Numbers
    category: Numbers
    alone: NDArray[np.bool_]
    creatives: Numbers
    owner: Numbers
    blocks: Numbers
    blocked: Numbers
    terms: Floats
    knots: Floats
    tired: Floats
    reach: Floats


class Mood(NamedTuple):
    """What the moment adds to the log-odds of each event, and how far a chance rises by it."""

    terms: Floats
    rise: float


class Floor(NamedTuple):
    """What each kind costs at least, and the rows that bid it."""

    reserves: Floats
    words: bits.Words


class Index:
    """The lines of one version of the truth. Made by `Index.of`; may be read by many threads."""

    def __init__(self, lines: tuple[Line, ...], learnt: Probabilities, version: int) -> None:
        self.lines = lines
        self.version = version
        self.probabilities = learnt
        self.columns = targeting.Columns(lines)
        self.vetoes = Vetoes(lines)
        self.caps = Caps(lines)
        self.flights = Flights(lines)
        self.outside = Outside(lines)
        self.reach = np.array(learnt.reach)
        self.table: Table
        self._moods: dict[tuple[str, str, int], Mood] = {}
        self._floors: dict[tuple[int, ...], Floor] = {}

    @classmethod
    def of(
        cls,
        lines: Iterable[Line],
        multipliers: Mapping[UUID, float],
        version: int,
        probabilities: Probabilities | None = None,
    ) -> Self:
        """Make an index; a line without a multiplier has 1.

        Raises:
            ValueError: a multiplier is not above 0, or is above 1.
            zoneinfo.ZoneInfoNotFoundError: a line is in no zone of this world.
        """
        learnt = probabilities or Probabilities.prior()
        given = [*{line.line_id: line for line in lines}.values()]
        bids = np.array([_bid(line, multipliers.get(line.line_id, 1.0)) for line in given])
        counts = np.array([len(line.creatives) for line in given], np.intp)
        terms, value = _expected(given, bids, counts, learnt)
        keys = [
            (-brings, line.line_id.int) for line, brings in zip(given, value.tolist(), strict=True)
        ]
        places = sorted(range(len(given)), key=keys.__getitem__)
        index = cls(tuple(given[at] for at in places), learnt, version)
        order = np.array(places, np.intp)
        # Creatives move with their lines.
        starts, moved = np.cumsum(counts) - counts, counts[order]
        shift = np.repeat(starts[order] - (np.cumsum(moved) - moved), moved)
        terms = terms[np.arange(len(terms)) + shift]
        index.table = index._table(bids[order], value[order], terms, moved)
        return index

    def __len__(self) -> int:
        return len(self.lines)

    def mood(self, viewer: Viewer) -> Mood:
        """Return what this viewer's moment adds to the chances of all lines."""
        key = viewer.platform, viewer.country, viewer.ads_in_session
        known = self._moods.get(key)
        if known is None:
            features = probability.features_of_viewer(viewer)
            if len(self._moods) >= _KNOWN_MAX:
                self._moods.clear()
            learnt, table = self.probabilities, self.table
            terms = np.array([learnt.head(event).sum_of(features) for event in EVENTS])
            rises = [_rise(table.knots[e], float(terms[e] + table.tired[e].max())) for e in _EVENT]
            view, *others = rises
            known = Mood(terms, _ROUNDING * view * max(1.0, *others))
            self._moods[key] = known
        return known

    def floor(self, reserves: tuple[int, int, int]) -> Floor:
        """Return the rows that bid what their kind costs at least."""
        known = self._floors.get(reserves)
        if known is None:
            if len(self._floors) >= _KNOWN_MAX:
                self._floors.clear()
            least = np.array(reserves, np.float64)
            known = Floor(least, bits.of_flags(self.table.bid >= least[self.table.kind]))
            self._floors[reserves] = known
        return known

    def eligible(self, viewer: Viewer, now_ms: int, adult: frozenset[str] = ADULT) -> Numbers:
        """Return the rows that may be shown to a viewer: targeted, in flight, below their caps."""
        offers = self.outside.offers(viewer, self.table.bid, self.table.creatives)
        live = self.outside.running(self.flights.live(now_ms), offers)
        return self._found(viewer, now_ms, adult, live)

    def to_ask(self, viewer: Viewer, now_ms: int, adult: frozenset[str] = ADULT) -> Numbers:
        """Return the rows that might be shown to a viewer if somebody outside bid for them."""
        live = self.flights.live(now_ms) & self.outside.words
        return self._found(viewer, now_ms, adult, live)

    def _found(
        self, viewer: Viewer, now_ms: int, adult: frozenset[str], live: bits.Words
    ) -> Numbers:
        words = np.empty((len(self.lines) + bits.WORD - 1) // bits.WORD, np.uint64)
        targeting.mark(self.columns.matrix, *self.columns.of(viewer, adult), words)
        rows = self.caps.reached(viewer.shown_ms, now_ms)[0]
        close(words, np.array(rows + self.columns.hidden(viewer), np.int32))
        words &= live
        found = np.unpackbits(words.view(np.uint8), bitorder="little")
        return np.flatnonzero(found).astype(np.int32)

    def _table(self, bids: Floats, value: Floats, terms: Floats, counts: NDArray[np.intp]) -> Table:
        lines, learnt = self.lines, self.probabilities
        owners = [line.advertiser_id.int for line in lines]
        # Where a line has no category, it is its advertiser's own.
        kinds = [line.category or owner for line, owner in zip(lines, owners, strict=True)]
        advertisers, categories = _numbered(owners), _numbered(kinds)
        of_owner = dict[int, set[str | int]]()
        for owner, category in zip(owners, kinds, strict=True):
            of_owner.setdefault(owner, set()).add(category)
        tiers = np.array([TIERS.index(line.suitability.tier) for line in lines], np.int8)
        times = range(probability.TIRED_MAX + 1)
        tired = [
            [learnt.head(event).sum_of((probability.feature_of_tired(each),)) for each in times]
            for event in EVENTS
        ]
        return Table(
            targets=self.columns.matrix,
            tiers=np.stack([bits.of_flags(tiers == tier) for tier in range(len(TIERS))]),
            bid=bids,
            value=value,
            kind=np.array([KINDS.index(line.kind) for line in lines], np.int8),
            tier=tiers,
            advertiser=np.array([advertisers[each] for each in owners], np.int32),
            category=np.array([categories[each] for each in kinds], np.int32),
            alone=np.array([len(of_owner[each]) == 1 for each in owners], np.bool_),
            creatives=np.cumsum([0, *counts]).astype(np.int32),
            owner=np.repeat(np.arange(len(lines), dtype=np.int32), counts),
            blocks=self.vetoes.starts,
            blocked=self.vetoes.columns,
            terms=terms,
            knots=np.array([learnt.head(event).table for event in EVENTS], np.float64),
            tired=np.array(tired),
            reach=self.reach,
        )


@borrowing
def close(words: bits.Words, rows: Numbers) -> None:
    """Take rows out of a set."""
    for place in range(rows.shape[0]):
        row = rows[place]
        words[row >> 6] &= ~(np.uint64(1) << np.uint64(row & 63))


@borrowing
def _rise(table: Floats, added: float) -> float:
    """Return how many times as likely at most an event is by what is added to its log-odds.

    Between knots of either, both are linear, so that it is most at one of them.
    """
    most = 0.0
    for knot in range(table.shape[0]):
        logit = calibration.LOW + knot / calibration.STEPS
        there = calibration.applied(table, logit + added) / calibration.applied(table, logit)
        here = calibration.applied(table, logit) / calibration.applied(table, logit - added)
        most = max(most, there, here)
    return most


def _bid(line: Line, multiplier: float) -> float:
    if not 0 < multiplier <= 1:
        raise ValueError(f"multiplier {multiplier} of line {line.line_id}")
    return line.bid_micros * multiplier


def _expected(
    lines: Sequence[Line], bids: Floats, counts: NDArray[np.intp], learnt: Probabilities
) -> tuple[Floats, Floats]:
    """Return the log-odds of all creatives, and what a showing of each line's best one brings."""
    heads = [learnt.head(event) for event in EVENTS]
    bases = np.array([head.intercept for head in heads])
    terms = np.tile(bases, (counts.sum(), 1))
    if any(head.effects for head in heads):
        shown = ((line, creative) for line in lines for creative in line.creatives)
        for place, (line, creative) in enumerate(shown):
            features = probability.features_of_creative(line, creative)
            terms[place] += [head.sum_of(features) for head in heads]
    terms = np.clip(terms, -_LOG_ODDS_SPAN, _LOG_ODDS_SPAN)
    knots = calibration.knots()
    chances = np.stack([np.interp(terms[:, e], knots, heads[e].table) for e in _EVENT], axis=1)
    kinds = np.array([KINDS.index(line.kind) for line in lines], np.intp).repeat(counts)
    billed = chances[:, 0] * np.where(kinds > 0, chances[np.arange(len(kinds)), kinds], 1.0)
    starts = np.cumsum(counts) - counts
    best = np.maximum.reduceat(billed, starts) if len(lines) else np.zeros(0)
    return terms, bids * best


def _numbered(found: Iterable[_Found]) -> dict[_Found, int]:
    return {each: at for at, each in enumerate(dict.fromkeys(found))}
