"""Smoothing: rates out of counters; where little is known they lean on what is so more broadly."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.counters import Counters, Rows, Window
from ranking.features import FEATURES, GUESSES, INDEX, RATES, Rates
from ranking.signals import Signal

Matrix = NDArray[np.float32]

# Most counts are small, and a logarithm costs more than all else that is done with one.
_LOGARITHMS = np.log1p(np.arange(4096.0))


class Plan(NamedTuple):
    """Where rates are filled in, of which columns of counters, and on which they lean."""

    first: int
    base: int
    wanted: NDArray[np.int64]
    scales: NDArray[np.float64]
    priors: NDArray[np.int64]
    strength: float


def plan(rates: Rates, counted: tuple[Signal, ...]) -> Plan:
    """Return how rates are read from counters of these signals."""
    own = INDEX[f"{rates.name}_log"] + 1
    leaning = [f"{rates.prior}_{signal.name.lower()}" for signal in rates.signals]
    return Plan(
        first=own - 1,
        base=counted.index(rates.base),
        wanted=np.array([counted.index(signal) for signal in rates.signals]),
        scales=np.array([0.001 if s is Signal.WATCH_PERMILLE else 1.0 for s in rates.signals]),
        priors=np.array(
            [INDEX[name] if rates.prior else own + place for place, name in enumerate(leaning)]
        ),
        strength=rates.strength,
    )


def fill_recent(  # noqa: PLR0913, PLR0917 - where to, what, of what, whose, when, and else what
    out: Matrix, planned: Plan, counters: Counters, rows: Rows, window: Window, priors: Matrix
) -> None:
    """Fill rates from a ring: one row of `out` for each of `rows`; `priors` may be `out` itself."""
    _recent(out, planned, counters.recent, counters.epochs, rows, window, priors)


def fill_totals(out: Matrix, planned: Plan, counters: Counters, rows: Rows, priors: Matrix) -> None:
    """Fill rates from the all-time totals, in the same way."""
    _totals(out, planned, counters.totals, rows, priors, _LOGARITHMS)


def guesses() -> Matrix:
    """Return a row in which every rate is what is thought of it before anything was counted."""
    row = np.zeros((1, len(FEATURES)), np.float32)
    for rates in RATES:
        for signal in rates.signals:
            row[0, INDEX[f"{rates.name}_{signal.name.lower()}"]] = GUESSES[signal]
    return row


@compiled
def _put(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    out: Matrix,
    planned: Plan,
    place: int,
    base: float,
    sums: NDArray[np.float64],
    priors: Matrix,
) -> None:
    leaning = min(place, len(priors) - 1)
    weight = 1.0 / (base + planned.strength)
    for column in range(len(sums)):
        prior = planned.strength * priors[leaning, planned.priors[column]]
        out[place, planned.first + 1 + column] = weight * (
            sums[column] * planned.scales[column] + prior
        )


@compiled
def _recent(  # noqa: PLR0913, PLR0917 - as above
    out: Matrix,
    planned: Plan,
    recent: NDArray[Any],
    epochs: NDArray[np.int32],
    rows: Rows,
    window: Window,
    priors: Matrix,
) -> None:
    sums = np.zeros(len(planned.wanted))
    for place in range(len(rows)):
        row = rows[place]
        base = 0.0
        sums[:] = 0.0
        if 0 <= row < len(epochs):
            for slot in range(window.start, window.start + window.slots):
                age = max(window.now - epochs[row, slot], 0)
                if age >= window.slots:
                    continue
                weight = window.weights[age]
                base += weight * recent[row, slot, planned.base]
                for column in range(len(sums)):
                    sums[column] += weight * recent[row, slot, planned.wanted[column]]
        base = max(base, 0.0)
        out[place, planned.first] = np.log1p(base)
        _put(out, planned, place, base, sums, priors)


@compiled
def _totals(  # noqa: PLR0913, PLR0917 - as above
    out: Matrix,
    planned: Plan,
    totals: NDArray[Any],
    rows: Rows,
    priors: Matrix,
    logarithms: NDArray[np.float64],
) -> None:
    sums = np.zeros(len(planned.wanted))
    for place in range(len(rows)):
        row = rows[place]
        count = 0
        sums[:] = 0.0
        if 0 <= row < len(totals):
            count = max(int(totals[row, planned.base]), 0)
            for column in range(len(sums)):
                sums[column] = totals[row, planned.wanted[column]]
        is_small = count < len(logarithms)
        out[place, planned.first] = logarithms[count] if is_small else np.log1p(float(count))
        _put(out, planned, place, float(count), sums, priors)
