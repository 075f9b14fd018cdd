"""What a benchmark finds out."""

from collections.abc import Callable, Mapping

import msgspec

Progress = Callable[[str], None]
"""Is told what is going on, for people to read meanwhile."""


class FilesUnreadable(ValueError):
    """The files that a benchmark is measured on are missing, or not what they should be."""


class Outcome(msgspec.Struct, frozen=True):
    """Figures depend on the machine; ratios compare with a reference of the same run.

    A figure is None where the machine has not what it takes, such as a GPU. Figures of others in
    the same run stand under `peers`, by their names.
    """

    bench: str
    figures: Mapping[str, float | Mapping[str, Mapping[str, float]] | None]
    ratios: Mapping[str, float]


def table(outcome: Outcome) -> str:
    """Return the outcome as lines of text, the ratios first, the peers last."""
    peers = outcome.figures.get("peers")
    figures = {name: value for name, value in outcome.figures.items() if name != "peers"}
    rows: list[tuple[str, object]] = [*outcome.ratios.items(), *figures.items()]
    if isinstance(peers, Mapping):
        rows += [
            (f"{peer}: {name}", value)
            for peer, of_peer in peers.items()
            for name, value in of_peer.items()
        ]
    shown = ((name, f"{v:,.3f}" if isinstance(v, float | int) else "-") for name, v in rows)
    return "\n".join(f"{outcome.bench:12} {name:34} {value:>12}" for name, value in shown)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: list[float]) -> float:
    """Return the value in the middle."""
    return percentile(values, 0.5)
