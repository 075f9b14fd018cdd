"""Smoothing: rates out of counters; where little is known they lean on what is so more broadly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.counters import Counters, Rows
from ranking.features import INDEX, Rates
from ranking.signals import Signal

Matrix = NDArray[np.float32]
Priors = NDArray[np.float64]

_PER_MILLE = np.array([0.001 if s is Signal.WATCH_PERMILLE else 1.0 for s in Signal])


def fill_recent(  # noqa: PLR0913, PLR0917 - where to, what, of what, whose, when, and else what
    out: Matrix,
    rates: Rates,
    counters: Counters,
    rows: Rows,
    as_of_ms: int,
    half_life_ms: int,
    priors: Priors,
) -> None:
    """Fill the columns of `rates` from the rings: one row of `out` for each of `rows`."""
    window = counters.window(as_of_ms, half_life_ms)
    wanted = [counters.recent_signals.index(signal) for signal in rates.signals]
    _recent(
        out, INDEX[f"{rates.name}_log"], counters.recent, counters.epochs, rows, window.now,
        window.start, window.slots, window.weights, counters.recent_signals.index(rates.base),
        np.array(wanted), _PER_MILLE[list(rates.signals)], priors, rates.strength,
    )  # fmt: skip


def fill_totals(out: Matrix, rates: Rates, counters: Counters, rows: Rows, priors: Priors) -> None:
    """Fill the columns of `rates` from the all-time totals."""
    wanted = [counters.total_signals.index(signal) for signal in rates.signals]
    _totals(
        out, INDEX[f"{rates.name}_log"], counters.totals, rows,
        counters.total_signals.index(rates.base), np.array(wanted),
        _PER_MILLE[list(rates.signals)], priors, rates.strength,
    )  # fmt: skip


@compiled
def _put(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    out: Matrix,
    place: int,
    first: int,
    base: float,
    sums: NDArray[np.float64],
    scales: NDArray[np.float64],
    priors: Priors,
    strength: float,
) -> None:
    base = max(base, 0.0)
    prior = priors[min(place, len(priors) - 1)]
    out[place, first] = np.log1p(base)
    for column in range(len(sums)):
        leaning = sums[column] * scales[column] + strength * prior[column]
        out[place, first + 1 + column] = leaning / (base + strength)


@compiled
def _recent(  # noqa: PLR0913, PLR0917 - as above
    out: Matrix,
    first: int,
    recent: NDArray[Any],
    epochs: NDArray[np.int32],
    rows: Rows,
    now: int,
    start: int,
    slots: int,
    weights: NDArray[np.float64],
    base_column: int,
    wanted: NDArray[np.int64],
    scales: NDArray[np.float64],
    priors: Priors,
    strength: float,
) -> None:
    sums = np.zeros(len(wanted))
    for place in range(len(rows)):
        row = rows[place]
        base = 0.0
        sums[:] = 0.0
        if 0 <= row < len(epochs):
            for slot in range(start, start + slots):
                age = max(now - epochs[row, slot], 0)
                if age >= slots:
                    continue
                base += weights[age] * recent[row, slot, base_column]
                for column in range(len(wanted)):
                    sums[column] += weights[age] * recent[row, slot, wanted[column]]
        _put(out, place, first, base, sums, scales, priors, strength)


@compiled
def _totals(  # noqa: PLR0913, PLR0917 - as above
    out: Matrix,
    first: int,
    totals: NDArray[Any],
    rows: Rows,
    base_column: int,
    wanted: NDArray[np.int64],
    scales: NDArray[np.float64],
    priors: Priors,
    strength: float,
) -> None:
    sums = np.zeros(len(wanted))
    for place in range(len(rows)):
        row = rows[place]
        base = 0.0
        sums[:] = 0.0
        if 0 <= row < len(totals):
            base += totals[row, base_column]
            for column in range(len(wanted)):
                sums[column] += totals[row, wanted[column]]
        _put(out, place, first, base, sums, scales, priors, strength)
