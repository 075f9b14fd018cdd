"""Counters: how often what was done, as whole numbers in buckets of time; they decay when read.

Additions commute: a slot of a ring keeps the newest of the times that share it, and what is older
is dropped, whichever came first. So the same deeds give the same numbers in any order and any cut.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.columns import Column
from ranking.compiled import compiled
from ranking.signals import Signal

HOUR_MS = 3_600_000

Rows = NDArray[np.int32]


class Ring(NamedTuple):
    """So many buckets of time, each so wide."""

    width_ms: int
    slots: int


class Window(NamedTuple):
    """How a ring is read at one time: what a bucket of each age weighs."""

    now: int
    start: int
    slots: int
    weights: NDArray[np.float64]


class Counters:
    """A row of counters for each video, account or pair: all-time totals, and rings of buckets.

    `wide`: a row may take more than 2^31 of something.
    """

    def __init__(
        self,
        totals: Sequence[Signal],
        recent: Sequence[Signal],
        rings: Sequence[Ring],
        *,
        wide: bool = False,
    ) -> None:
        self.total_signals = tuple(totals)
        self.recent_signals = tuple(recent)
        self.rings = tuple(rings)
        slots = sum(ring.slots for ring in rings)
        dtype = np.int64 if wide else np.int32
        self._totals: Column[Any] = Column(dtype, (len(totals),))
        self._recent: Column[Any] = Column(dtype, (slots, len(recent)))
        self._epochs: Column[np.int32] = Column(np.int32, (slots,))
        self._total_columns = np.array(totals, np.int64)
        self._recent_columns = np.array(recent, np.int64)
        self._shape = np.array(
            [
                (ring.width_ms, sum(before.slots for before in rings[:place]), ring.slots)
                for place, ring in enumerate(rings)
            ],
            np.int64,
        ).reshape(-1, 3)

    def __len__(self) -> int:
        return len(self._totals)

    @property
    def totals(self) -> NDArray[Any]:
        """(rows, total signals)."""
        return self._totals.rows

    @property
    def recent(self) -> NDArray[Any]:
        """(rows, slots of all rings, recent signals)."""
        return self._recent.rows

    @property
    def epochs(self) -> NDArray[np.int32]:
        """Which bucket of time each slot holds, 0 if none: (rows, slots of all rings)."""
        return self._epochs.rows

    def reach(self, count: int) -> None:
        """Have at least so many rows."""
        for column in (self._totals, self._recent, self._epochs):
            column.reach(count)

    def add(self, rows: Rows, at_ms: NDArray[np.int64], amounts: NDArray[np.int32]) -> None:
        """Add what was done to the rows; a row -1 is nobody's.

        Args:
            rows: which row each deed belongs to, below the number of rows.
            at_ms: when it was done.
            amounts: what it adds to each signal, (deeds, all signals).
        """
        _add(
            self.totals,
            self.recent,
            self.epochs,
            rows,
            at_ms,
            amounts,
            self._total_columns,
            self._recent_columns,
            self._shape,
        )

    def total(self, signal: Signal, rows: Rows | None = None) -> NDArray[np.int64]:
        """Return the all-time count of each row; a row -1 has none."""
        column = self.total_signals.index(signal)
        if rows is None:
            return self.totals[:, column].astype(np.int64)
        return _total(self.totals, rows, column)

    def decayed(
        self, signal: Signal, as_of_ms: int, half_life_ms: int, rows: Rows | None = None
    ) -> NDArray[np.float64]:
        """Return the count of each row in which what is a half-life old counts half, and so on.

        It ends with the ring: the narrowest one that is three half-lives long is read.
        """
        window = self.window(as_of_ms, half_life_ms)
        chosen = np.arange(len(self), dtype=np.int32) if rows is None else rows
        found = np.zeros(len(chosen))
        column = self.recent_signals.index(signal)
        _decay(self.recent, self.epochs, chosen, column, *window, found)
        return found

    def window(self, as_of_ms: int, half_life_ms: int) -> Window:
        """Return how the ring that suits a half-life is read at a time."""
        long_enough = [
            place
            for place, ring in enumerate(self.rings)
            if ring.width_ms * ring.slots >= 3 * half_life_ms
        ]
        last = max(range(len(self.rings)), key=lambda p: self.rings[p].width_ms)
        place = min(long_enough, key=lambda p: self.rings[p].width_ms) if long_enough else last
        width_ms, start, slots = map(int, self._shape[place])
        now, passed_ms = divmod(as_of_ms, width_ms)
        ages_ms = passed_ms + (np.arange(slots) - 0.5) * width_ms
        ages_ms[0] = passed_ms / 2
        return Window(now, start, slots, np.exp2(-ages_ms / half_life_ms))

    def parts(self, order: Rows | None = None) -> Sequence[bytes]:
        """Return all that is held, the rows in the order asked for."""
        columns = (self.totals, self.recent, self.epochs)
        return [(each if order is None else each[order]).tobytes() for each in columns]


@compiled
def _add(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    totals: NDArray[Any],
    recent: NDArray[Any],
    epochs: NDArray[np.int32],
    rows: Rows,
    at_ms: NDArray[np.int64],
    amounts: NDArray[np.int32],
    total_columns: NDArray[np.int64],
    recent_columns: NDArray[np.int64],
    shape: NDArray[np.int64],
) -> None:
    for deed in range(len(rows)):
        row = rows[deed]
        if row < 0:
            continue
        for column in range(len(total_columns)):
            totals[row, column] += amounts[deed, total_columns[column]]
        for ring in range(len(shape)):
            epoch = at_ms[deed] // shape[ring, 0]
            slot = shape[ring, 1] + epoch % shape[ring, 2]
            if epoch < epochs[row, slot]:
                continue
            if epoch > epochs[row, slot]:
                epochs[row, slot] = epoch
                recent[row, slot, :] = 0
            for column in range(len(recent_columns)):
                recent[row, slot, column] += amounts[deed, recent_columns[column]]


@compiled
def _total(totals: NDArray[Any], rows: Rows, column: int) -> NDArray[np.int64]:
    found = np.zeros(len(rows), np.int64)
    for place in range(len(rows)):
        if 0 <= rows[place] < len(totals):
            found[place] = totals[rows[place], column]
    return found


@compiled
def _decay(  # noqa: PLR0913, PLR0917 - as above
    recent: NDArray[Any],
    epochs: NDArray[np.int32],
    rows: Rows,
    column: int,
    now: int,
    start: int,
    slots: int,
    weights: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    for place in range(len(rows)):
        row = rows[place]
        if row < 0 or row >= len(epochs):
            continue
        for slot in range(start, start + slots):
            age = max(now - epochs[row, slot], 0)
            if age < slots:
                found[place] += weights[age] * recent[row, slot, column]
