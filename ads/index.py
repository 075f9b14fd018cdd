"""The index: every line that may be shown now, as columns. Immutable; an edit makes another one.

Rows are in the order of what a showing is expected to bring, the best first, so that a search
through them soon knows what is not worth a look.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import exp
from typing import NamedTuple, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ads import bits, probability, targeting
from ads.adjacency import Vetoes
from ads.compiled import compiled
from ads.frequency import Caps
from ads.lines import HOURS, KINDS, TIERS, Line
from ads.probability import EVENTS, Probabilities
from ads.rules import ADULT
from ads.viewer import Viewer

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Numbers = NDArray[np.int32]

MULTIPLIER_MAX = 100.0
"""How far urgency may raise the bid of a guaranteed line; other multipliers are at most 1."""

_QUARTER_MS = 900_000
_LOG_ODDS_SPAN = 30.0


class Table(NamedTuple):
    """What loops read of each row. `bid` is in micros for one billed event, multiplied.

    `terms` are log-odds by creative and event, `most` the highest of each event.
    """

    bid: Floats
    kind: NDArray[np.int8]
    tier: NDArray[np.int8]
    advertiser: Numbers
    category: Numbers
    alone: NDArray[np.bool_]
    from_ms: Longs
    until_ms: Longs
    zone: Numbers
    daypart: Numbers
    hours: NDArray[np.bool_]
    creatives: Numbers
    terms: Floats
    knots: Floats
    most: Floats


class Index:
    """The lines of one version of the truth. Made by `Index.of`; may be read by many threads."""

    def __init__(self, lines: tuple[Line, ...], learnt: Probabilities, version: int) -> None:
        self.lines = lines
        self.version = version
        self.probabilities = learnt
        self.columns = targeting.Columns(lines)
        self.vetoes = Vetoes(lines)
        self.caps = Caps(lines)
        self.reach = np.array(learnt.reach)
        self.tired = np.array(
            [
                [
                    learnt.head(event).sum_of((probability.feature_of_tired(times),))
                    for times in range(probability.TIRED_MAX + 1)
                ]
                for event in EVENTS
            ]
        )
        names = dict.fromkeys(line.zone for line in lines)
        self._zones = [ZoneInfo(name) for name in names]
        self._hours: tuple[int, Longs] | None = None
        self.table: Table

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
            ValueError: a multiplier is not above 0, or above what its line may have; a line is
                there twice.
            zoneinfo.ZoneInfoNotFoundError: a line is in no zone of this world.
        """
        learnt = probabilities or Probabilities.prior()
        of_line = {line.line_id: line for line in lines}
        bids = dict[UUID, float]()
        for line_id, line in of_line.items():
            multiplier = multipliers.get(line_id, 1.0)
            if not 0 < multiplier <= (MULTIPLIER_MAX if line.guaranteed else 1.0):
                raise ValueError(f"multiplier {multiplier} of line {line_id}")
            bids[line_id] = line.bid_micros * multiplier

        def brings(line: Line) -> float:
            intercept = learnt.head(EVENTS[KINDS.index(line.kind)]).intercept
            rate = 1.0 if line.kind == "cpm" else 1 / (1 + exp(-intercept))
            return -bids[line.line_id] * rate

        ordered = tuple(sorted(of_line.values(), key=lambda each: (brings(each), each.line_id)))
        index = cls(ordered, learnt, version)
        index.table = _table(ordered, bids, learnt)
        return index

    def __len__(self) -> int:
        return len(self.lines)

    def hours(self, now_ms: int) -> Longs:
        """Return the hour of the week in each zone, from Monday midnight on."""
        quarter = now_ms // _QUARTER_MS
        known = self._hours
        if known is None or known[0] != quarter:
            at = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC)
            local = [at.astimezone(zone) for zone in self._zones]
            known = quarter, np.array([24 * t.weekday() + t.hour for t in local], np.int64)
            self._hours = known
        return known[1]

    def moment(self, viewer: Viewer) -> Floats:
        """Return what the moment adds to the log-odds of each event."""
        features = probability.features_of_viewer(viewer)
        learnt = self.probabilities
        return np.array(
            [
                learnt.view.sum_of(features),
                learnt.complete.sum_of(features),
                learnt.click.sum_of(features),
            ]
        )

    def eligible(self, viewer: Viewer, now_ms: int, adult: frozenset[str] = ADULT) -> Numbers:
        """Return the rows that may be shown to a viewer: targeted, in flight, below their caps."""
        words = np.empty((len(self.lines) + bits.WORD - 1) // bits.WORD, np.uint64)
        targeting.mark(self.columns.matrix, *self.columns.of(viewer, adult), words)
        rows, _ = self.caps.reached(viewer.shown_ms, now_ms)
        rows += self.columns.hidden(viewer)
        close(words, np.array(rows, np.int32))
        keep_live(words, self.table, self.hours(now_ms), now_ms)
        found = np.unpackbits(words.view(np.uint8), bitorder="little")
        return np.flatnonzero(found).astype(np.int32)


@compiled
def close(words: bits.Words, rows: Numbers) -> None:
    """Take rows out of a set."""
    for place in range(rows.shape[0]):
        row = rows[place]
        words[row >> 6] &= ~(np.uint64(1) << np.uint64(row & 63))


@compiled
def keep_live(words: bits.Words, table: Table, hours: Longs, now_ms: int) -> None:
    """Leave in a set what is in its flight and in its hours."""
    for word in range(words.shape[0]):
        left = words[word]
        while left:
            place = bits.lowest(left)
            bit = np.uint64(1) << np.uint64(place)
            left &= ~bit
            row = (word << 6) + place
            daypart = table.daypart[row]
            if not (table.from_ms[row] <= now_ms < table.until_ms[row]) or (
                daypart >= 0 and not table.hours[daypart, hours[table.zone[row]]]
            ):
                words[word] &= ~bit


def _table(lines: tuple[Line, ...], bids: Mapping[UUID, float], learnt: Probabilities) -> Table:
    advertisers = {each: at for at, each in enumerate(dict.fromkeys(_advertisers(lines)))}
    categories: dict[str | UUID, int] = {}
    for line in lines:
        categories.setdefault(line.category or line.advertiser_id, len(categories))
    category = [categories[line.category or line.advertiser_id] for line in lines]
    of_advertiser = dict[UUID, set[int]]()
    for line, code in zip(lines, category, strict=True):
        of_advertiser.setdefault(line.advertiser_id, set()).add(code)
    zones = {zone: at for at, zone in enumerate(dict.fromkeys(line.zone for line in lines))}
    dayparts = {each: at for at, each in enumerate(dict.fromkeys(each.daypart for each in lines))}
    dayparts.pop(None, None)
    dayparts = {each: at for at, each in enumerate(dayparts)}
    shown = [(line, creative) for line in lines for creative in line.creatives]
    effects = [
        [
            learnt.head(event).intercept
            + learnt.head(event).sum_of(probability.features_of_creative(line, creative))
            for event in EVENTS
        ]
        for line, creative in shown
    ]
    terms = np.array(effects, np.float64).reshape(-1, len(EVENTS))
    terms = np.clip(terms, -_LOG_ODDS_SPAN, _LOG_ODDS_SPAN)
    return Table(
        bid=np.array([bids[line.line_id] for line in lines], np.float64),
        kind=np.array([KINDS.index(line.kind) for line in lines], np.int8),
        tier=np.array([TIERS.index(line.suitability.tier) for line in lines], np.int8),
        advertiser=np.array([advertisers[line.advertiser_id] for line in lines], np.int32),
        category=np.array(category, np.int32),
        alone=np.array([len(of_advertiser[line.advertiser_id]) == 1 for line in lines], np.bool_),
        from_ms=np.array([line.flight_from_ms for line in lines], np.int64),
        until_ms=np.array([line.flight_until_ms for line in lines], np.int64),
        zone=np.array([zones[line.zone] for line in lines], np.int32),
        daypart=np.array([dayparts.get(line.daypart, -1) for line in lines], np.int32),
        hours=np.array(list(dayparts), np.bool_).reshape(len(dayparts), HOURS),
        creatives=np.cumsum([0, *(len(line.creatives) for line in lines)]).astype(np.int32),
        terms=terms,
        most=terms.max(axis=0, initial=-_LOG_ODDS_SPAN),
        knots=np.array([learnt.head(event).table for event in EVENTS], np.float64),
    )


def _advertisers(lines: tuple[Line, ...]) -> list[UUID]:
    return [line.advertiser_id for line in lines]
