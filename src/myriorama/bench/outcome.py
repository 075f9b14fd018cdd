"""What a benchmark finds out."""

from collections.abc import Callable, Mapping

import msgspec

Progress = Callable[[str], None]
"""Is told what is going on, for people to read meanwhile."""


class Outcome(msgspec.Struct, frozen=True):
    """Figures depend on the machine; ratios compare with a reference of the same run.

    A figure is None where the machine has not what it takes, such as a GPU.
    """

    bench: str
    figures: Mapping[str, float | None]
    ratios: Mapping[str, float]


def table(outcome: Outcome) -> str:
    """Return the outcome as lines of text, the ratios first."""
    rows = [*outcome.ratios.items(), *outcome.figures.items()]
    shown = ((name, "-" if value is None else f"{value:,.3f}") for name, value in rows)
    return "\n".join(f"{outcome.bench:12} {name:28} {value:>12}" for name, value in shown)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: list[float]) -> float:
    """Return the value in the middle."""
    return percentile(values, 0.5)
