"""The plots of a training's report, as PNG: calibration, importance of features, learning curve."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from ranking.heads import HEADS
from ranking.training.fitting import Trial

SHOWN = 25
"""So many features are shown, those that move the order most."""

_COLUMNS = 4
_BINS = 10
_BIN_POSITIVES_MIN = 20
_Z = 1.96  # of an interval that holds in 95 of 100 cases
_CHANCE = 0.5


class Bin(NamedTuple):
    """Exposures of like predictions: what was predicted, what happened, and its 95 % interval."""

    predicted: float
    happened: float
    low: float
    high: float


def plot_calibration(trial: Trial, path: Path) -> None:
    """Draw, of each head that has happened, what was predicted against what happened."""
    found = [
        (head.name, label, trial.predictions[:, place].astype(np.float64))
        for place, head in enumerate(HEADS)
        if (label := trial.examples.labels[:, place]).any()
    ]
    rows = -(-len(found) // _COLUMNS)
    canvas: Any = Canvas(figsize=(2.8 * _COLUMNS, 2.9 * rows + 0.5), layout="constrained")
    grid: Any = canvas.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, (name, label, predicted) in zip(grid.flat, found, strict=False):
        axes.set_visible(True)
        _plot_head(axes, f"{name}: {int(label.sum()):,}", bins(label, predicted))
    canvas.suptitle("Calibration of each head, with 95 % intervals, and how often it happened")
    canvas.supxlabel("predicted", fontsize="medium")
    canvas.supylabel("happened", fontsize="medium")
    canvas.savefig(path, dpi=120)


def plot_importance(shares: Mapping[str, float], path: Path) -> None:
    """Draw by how much the features move the order, the greatest on top."""
    names = list(shares)[:SHOWN][::-1]
    canvas: Any = Canvas(figsize=(7, 7), layout="constrained")
    axes: Any = canvas.subplots()
    axes.barh(names, [shares[name] for name in names])
    axes.margins(y=0.01)
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.set(
        xlabel="share of what tells the videos of a slate apart", title="Importance of features"
    )
    axes.tick_params(axis="y", labelsize="small")
    canvas.savefig(path, dpi=120)


def plot_curve(curve: Mapping[int, tuple[float, float]], path: Path) -> None:
    """Draw how well a long watch is told after ever more exposures; 0.5 would be by chance."""
    canvas: Any = Canvas(figsize=(6, 4), layout="constrained")
    axes: Any = canvas.subplots()
    counts = list(curve)
    columns: Sequence[str] = ("AUC", "AUC within slates")
    for column, name in enumerate(columns):
        axes.plot(counts, [curve[count][column] for count in counts], marker="o", label=name)
    axes.set(
        xscale="log",
        xlabel="exposures learnt of",
        ylabel="on the last slates",
        title="Learning curve: watched long",
    )
    axes.axhline(_CHANCE, color="grey", linewidth=1)
    axes.margins(y=0.08)
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.set_xticks([], minor=True)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    canvas.savefig(path, dpi=120)


def bins(label: NDArray[np.bool_], predicted: NDArray[np.float64]) -> list[Bin]:
    """Part exposures by what was predicted, so that there is something to see in each part."""
    count = int(np.clip(label.sum() // _BIN_POSITIVES_MIN, 1, _BINS))
    parts = np.array_split(np.argsort(predicted, kind="stable"), count)
    return [_bin(label[part], predicted[part]) for part in parts if len(part)]


def _bin(label: NDArray[np.bool_], predicted: NDArray[np.float64]) -> Bin:
    """Return a bin with the interval of Wilson, which is one also where nothing happened."""
    count, share = len(label), float(label.mean())
    wide = 1 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / wide
    half = _Z / wide * float(np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)))
    low, high = min(middle - half, share), max(middle + half, share)
    return Bin(float(predicted.mean()), share, low, high)


def _plot_head(axes: Any, title: str, found: Sequence[Bin]) -> None:
    most = 1.05 * max(max(each.predicted, each.high) for each in found)
    axes.plot([0, most], [0, most], color="grey", linewidth=1)
    errors = np.transpose([(each.happened - each.low, each.high - each.happened) for each in found])
    axes.errorbar(
        [each.predicted for each in found],
        [each.happened for each in found],
        yerr=errors,
        marker="o",
        markersize=3,
        linewidth=1,
        capsize=2,
    )
    axes.set(xlim=(0, most), ylim=(0, most), box_aspect=1)
    axes.set_title(title, fontsize="medium")
    axes.locator_params(nbins=4)
    axes.tick_params(labelsize="small")
