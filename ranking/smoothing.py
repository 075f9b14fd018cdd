"""Smoothing: rates out of counters; where little is known they lean on what is so more broadly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.counters import Rows, Window
from ranking.features import FEATURES, GUESSES, INDEX, RATES, Rates
from ranking.signals import Signal

Matrix = NDArray[np.float32]

# Most counts are small, and a logarithm costs more than all else that is done with one.
LOGARITHMS = np.log1p(np.arange(4096.0))


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


class Plans(NamedTuple):
    """Several plans, a row each; of `wanted`, `scales` and `priors` as many as `counts` says."""

    first: NDArray[np.int64]
    base: NDArray[np.int64]
    counts: NDArray[np.int64]
    wanted: NDArray[np.int64]
    scales: NDArray[np.float64]
    priors: NDArray[np.int64]
    strength: NDArray[np.float64]


def together(planned: Sequence[Plan]) -> Plans:
    """Return plans as one, for loops that fill them all."""
    widest = max(len(each.wanted) for each in planned)

    def wide(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.stack([np.pad(part, (0, widest - len(part))) for part in parts])

    return Plans(
        first=np.array([each.first for each in planned]),
        base=np.array([each.base for each in planned]),
        counts=np.array([len(each.wanted) for each in planned]),
        wanted=wide([each.wanted for each in planned]),
        scales=wide([each.scales for each in planned]),
        priors=wide([each.priors for each in planned]),
        strength=np.array([each.strength for each in planned], np.float64),
    )


def guesses() -> Matrix:
    """Return a row in which every rate is what is thought of it before anything was counted."""
    row = np.zeros((1, len(FEATURES)), np.float32)
    for rates in RATES:
        for signal in rates.signals:
            row[0, INDEX[f"{rates.name}_{signal.name.lower()}"]] = GUESSES[signal]
    return row


@compiled
def put_totals(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    out: Matrix,
    planned: Plans,
    number: int,
    totals: NDArray[Any],
    rows: Rows,
    priors: Matrix,
    logarithms: NDArray[np.float64],
) -> None:
    """Fill in the rates of a plan from all-time totals, one row of `out` for each of `rows`.

    A row -1 has counted nothing; `priors` are one row for all, or `out` itself.
    """
    first, base, count = planned.first[number], planned.base[number], planned.counts[number]
    wanted, scales = planned.wanted[number], planned.scales[number]
    leaning, strength = planned.priors[number], planned.strength[number]
    for place in range(len(rows)):
        row, other, seen = rows[place], min(place, len(priors) - 1), 0
        is_known = 0 <= row < len(totals)
        if is_known:
            seen = max(int(totals[row, base]), 0)
        is_small = seen < len(logarithms)
        out[place, first] = logarithms[seen] if is_small else np.log1p(float(seen))
        weight = 1.0 / (seen + strength)
        for column in range(count):
            total = float(totals[row, wanted[column]]) * scales[column] if is_known else 0.0
            prior = strength * priors[other, leaning[column]]
            out[place, first + 1 + column] = weight * (total + prior)


@compiled
def put_recent(  # noqa: PLR0913, PLR0917 - as above
    out: Matrix,
    planned: Plans,
    number: int,
    ring: tuple[NDArray[Any], NDArray[np.int32]],
    rows: Rows,
    window: Window,
    priors: Matrix,
) -> None:
    """Fill in the rates of a plan from a ring, in the same way."""
    recent, epochs = ring
    first, base, count = planned.first[number], planned.base[number], planned.counts[number]
    wanted, scales = planned.wanted[number], planned.scales[number]
    leaning, strength = planned.priors[number], planned.strength[number]
    sums = np.zeros(count)
    for place in range(len(rows)):
        row, other, seen = rows[place], min(place, len(priors) - 1), 0.0
        sums[:] = 0.0
        if 0 <= row < len(epochs):
            for slot in range(window.start, window.start + window.slots):
                age = max(window.now - epochs[row, slot], 0)
                if age >= window.slots:
                    continue
                weight = window.weights[age]
                seen += weight * recent[row, slot, base]
                for column in range(count):
                    sums[column] += weight * recent[row, slot, wanted[column]]
        seen = max(seen, 0.0)
        out[place, first] = np.log1p(seen)
        weight = 1.0 / (seen + strength)
        for column in range(count):
            prior = strength * priors[other, leaning[column]]
            out[place, first + 1 + column] = weight * (sums[column] * scales[column] + prior)
