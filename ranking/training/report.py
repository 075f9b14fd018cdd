"""Writes what a training came to: the model's file, its digest, a report with plots, and a card."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from ranking.features import FEATURES
from ranking.heads import HEADS, MATURE_MS
from ranking.model import Model
from ranking.policy import DEFAULT
from ranking.training.examples import Examples
from ranking.training.fitting import Fitted
from ranking.training.metrics import Figure

MODEL_FILE = "model.npz"
DIGEST_FILE = "digest.txt"
REPORT_FILE = "report.md"
CARD_FILE = "card.md"
CALIBRATION_PLOT = "calibration.png"
IMPORTANCE_PLOT = "importance.png"
CURVE_PLOT = "learning-curve.png"

_BINS = 15
_SHOWN = 25
_SAMPLE = 4000


def write(fitted: Fitted, folder: Path) -> str:
    """Write everything into a folder, made if need be; return the model's digest."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "myriorama"
    model = fitted.model
    (folder / MODEL_FILE).write_bytes(model.encode())
    (folder / DIGEST_FILE).write_text(f"{model.digest}\n", encoding="utf-8")
    shares = importance(model, fitted.trial.examples)
    _plot_calibration(fitted, folder / CALIBRATION_PLOT)
    _plot_importance(shares, folder / IMPORTANCE_PLOT)
    _plot_curve(fitted.curve, folder / CURVE_PLOT)
    (folder / REPORT_FILE).write_text(_report(fitted, shares), encoding="utf-8")
    (folder / CARD_FILE).write_text(_card(model), encoding="utf-8")
    return model.digest


def importance(model: Model, examples: Examples) -> Mapping[str, float]:
    """Return how much each feature moves what videos are worth, as shares, the greatest first."""
    step = max(len(examples) // _SAMPLE, 1)
    features = np.ascontiguousarray(examples.features[::step, : len(FEATURES)])
    moved = (
        np.abs(model.contributions(features, DEFAULT.weights, model.second(features)))
        .mean(axis=0)
        .astype(np.float64)
    )
    shares = moved / (moved.sum() or 1.0)
    order: list[int] = np.argsort(-shares, kind="stable").tolist()
    return {FEATURES[place].name: float(shares[place]) for place in order}


def _plot_calibration(fitted: Fitted, path: Path) -> None:
    canvas: Any = Canvas(figsize=(6, 6), layout="constrained")
    axes: Any = canvas.subplots()
    axes.plot([1e-4, 1], [1e-4, 1], color="grey", linewidth=1)
    for place, head in enumerate(HEADS):
        label = fitted.trial.examples.labels[:, place]
        predicted = fitted.trial.predictions[:, place].astype(np.float64)
        if not label.any():
            continue
        means, shares = _bins(label, predicted)
        axes.plot(means, shares, marker="o", markersize=3, linewidth=1, label=head.name)
    axes.set(xscale="log", yscale="log", xlabel="predicted", ylabel="happened", title="Calibration")
    axes.legend(fontsize="small")
    canvas.savefig(path, dpi=120)


def _bins(
    label: NDArray[np.bool_], predicted: NDArray[np.float64]
) -> tuple[list[float], list[float]]:
    parts = np.array_split(np.argsort(predicted, kind="stable"), _BINS)
    means = [float(predicted[part].mean()) for part in parts if len(part)]
    shares = [max(float(label[part].mean()), 1e-4) for part in parts if len(part)]
    return means, shares


def _plot_importance(shares: Mapping[str, float], path: Path) -> None:
    names = list(shares)[:_SHOWN][::-1]
    canvas: Any = Canvas(figsize=(7, 7), layout="constrained")
    axes: Any = canvas.subplots()
    axes.barh(names, [shares[name] for name in names])
    axes.set(xlabel="share of what moves the utility", title="Importance of features")
    axes.tick_params(axis="y", labelsize="small")
    canvas.savefig(path, dpi=120)


def _plot_curve(curve: Mapping[int, tuple[float, float]], path: Path) -> None:
    canvas: Any = Canvas(figsize=(6, 4), layout="constrained")
    axes: Any = canvas.subplots()
    counts = list(curve)
    for column, name in enumerate(("AUC", "AUC within slates")):
        axes.plot(counts, [curve[count][column] for count in counts], marker="o", label=name)
    axes.set(xscale="log", xlabel="exposures learnt of", title="Learning curve: watched long")
    axes.legend()
    canvas.savefig(path, dpi=120)


def _report(fitted: Fitted, shares: Mapping[str, float]) -> str:
    card, trial = fitted.model.card, fitted.trial
    until = datetime.fromtimestamp(card.trained_until_ms / 1000, UTC)
    heads = [
        (
            head.name,
            f"{card.trained_on[head.name]:,}",
            "trees" if scale.column < 0 and head.name in fitted.model.forests else "rate",
            _number(trial.figures, f"{head.name}_auc"),
            _number(trial.figures, f"{head.name}_ece"),
        )
        for head, scale in zip(HEADS, card.scales, strict=True)
    ]
    orders = [
        (name, f"{trial.figures[name].value:.4f}", f"{trial.figures[name].error:.4f}")
        for name in ("auc", "gauc", "ndcg10")
    ]
    return "\n".join(
        [
            f"# A ranking model, trained until {until:%Y-%m-%d %H:%M} UTC",
            "",
            (
                f"Digest `{fitted.model.digest}`. "
                f"Learnt of {card.trained_on['exposures']:,} exposures "
                f"in {card.trained_on['slates']:,} slates; all figures are of the last "
                f"{len(trial.examples):,}, by a model that had not learnt of them."
            ),
            "",
            "## How well it tells what is watched long",
            "",
            *_table(("figure", "value", "standard error"), orders),
            "",
            "## Heads",
            "",
            *_table(("head", "positives", "by", "AUC", "calibration error"), heads),
            "",
            f"![Calibration]({CALIBRATION_PLOT})",
            "",
            f"![Learning curve]({CURVE_PLOT})",
            "",
            "## What moves the order",
            "",
            *_table(
                ("feature", "share"),
                [(name, f"{shares[name]:.3f}") for name in list(shares)[:_SHOWN]],
            ),
            "",
            f"![Importance]({IMPORTANCE_PLOT})",
            "",
        ]
    )


def _card(model: Model) -> str:
    card = model.card
    rare = [
        head.name
        for head, scale in zip(HEADS, card.scales, strict=True)
        if head.name not in model.forests and (scale.column >= 0 or scale.slope)
    ]
    until = datetime.fromtimestamp(card.trained_until_ms / 1000, UTC)
    return "\n".join(
        [
            f"# Model card: {model.digest[:12]}",
            "",
            (
                "**What it does.** Predicts what a viewer would do with a video: "
                f"{', '.join(head.name for head in HEADS)}. A policy says what each is worth; "
                "creation is the objective, watching only guards."
            ),
            "",
            (
                f"**Learnt of** {card.trained_on['exposures']:,} exposures until "
                f"{until:%Y-%m-%d %H:%M} UTC, of viewers whose apps reported them, under decisions "
                "that are in the log. What came of one counts for "
                f"{MATURE_MS // 3_600_000} hours."
            ),
            "",
            (
                f"**Features** version `{card.features}`, {len(FEATURES)} of them; a program with "
                "others refuses the file. Nothing a person said about themselves is among them."
            ),
            "",
            f"**Too rare for trees**, so predicted by smoothed rates: {', '.join(rare) or '-'}.",
            "",
            (
                "**Limits.** It knows what was shown, not what would have been liked; of that, it "
                "can learn from what is explored. Figures are of the days just before the end, and "
                "fall with time. A long watch is one of 18 s or of the whole video."
            ),
            "",
        ]
    )


def _number(figures: Mapping[str, Figure], name: str) -> str:
    return f"{figures[name].value:.4f}" if name in figures else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join('---' for _ in head)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
