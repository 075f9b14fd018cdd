"""Writes what a training came to: the model's file, its digest, a report with plots, and a card."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ranking.features import FEATURES
from ranking.heads import HEADS, MATURE_MS
from ranking.model import Model
from ranking.policy import DEFAULT
from ranking.training.examples import Examples
from ranking.training.fitting import Fitted
from ranking.training.metrics import Figure
from ranking.training.plots import SHOWN, plot_calibration, plot_curve, plot_importance
from ranking.utility import centred

MODEL_FILE = "model.npz"
DIGEST_FILE = "digest.txt"
REPORT_FILE = "report.md"
CARD_FILE = "card.md"
CALIBRATION_PLOT = "calibration.png"
IMPORTANCE_PLOT = "importance.png"
CURVE_PLOT = "learning-curve.png"

_SAMPLE = 4000
_ORDERS: Mapping[str, str] = {
    "auc": "AUC",
    "gauc": "AUC within slates",
    "ndcg10": "NDCG@10 of slates",
}


class Origin(NamedTuple):
    """What a model was learnt of, and under which licence it may be used."""

    what: str
    licence: str


OWN_LOG = Origin(
    "this house's own logs",
    "none to others: it was learnt of what people did in this house, and stays in it",
)


def write(fitted: Fitted, folder: Path, origin: Origin) -> str:
    """Write everything into a folder, made if need be; return the model's digest."""
    folder.mkdir(parents=True, exist_ok=True)
    model = fitted.model
    (folder / MODEL_FILE).write_bytes(model.encode())
    (folder / DIGEST_FILE).write_text(f"{model.digest}\n", encoding="utf-8")
    shares = importance(model, fitted.trial.examples)
    plot_calibration(fitted.trial, folder / CALIBRATION_PLOT)
    plot_importance(shares, folder / IMPORTANCE_PLOT)
    plot_curve(fitted.curve, folder / CURVE_PLOT)
    (folder / REPORT_FILE).write_text(_report(fitted, shares, origin), encoding="utf-8")
    (folder / CARD_FILE).write_text(_card(fitted, origin), encoding="utf-8")
    return model.digest


def importance(model: Model, examples: Examples) -> Mapping[str, float]:
    """Return how much each feature tells the videos of a slate apart, as shares, greatest first.

    What moves all videos of a slate alike moves none, and does not count.
    """
    some = examples.take(examples.slate % max(len(examples) // _SAMPLE, 1) == 0)
    predictions = model.of_rows(some.features, some.slate)
    moved = model.contributions_of_rows(some.features, DEFAULT.weights, predictions)
    columns = [centred(column.astype(np.float64), some.slate) for column in moved.T]
    sizes = np.abs(np.array(columns, np.float64)).mean(axis=1)
    shares = sizes / (sizes.sum() or 1.0)
    order: list[int] = np.argsort(-shares, kind="stable").tolist()
    return {FEATURES[place].name: float(shares[place]) for place in order}


def _report(fitted: Fitted, shares: Mapping[str, float], origin: Origin) -> str:
    card, trial = fitted.model.card, fitted.trial
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
        (title, f"{trial.figures[name].value:.4f}", f"{trial.figures[name].error:.4f}")
        for name, title in _ORDERS.items()
    ]
    return "\n".join(
        [
            f"# A ranking model, trained until {_at(card.trained_until_ms)}",
            "",
            (
                f"Digest `{fitted.model.digest}`. Learnt of {origin.what}: "
                f"{card.trained_on['exposures']:,} exposures "
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
                [(name, f"{shares[name]:.3f}") for name in list(shares)[:SHOWN]],
            ),
            "",
            f"![Importance]({IMPORTANCE_PLOT})",
            "",
        ]
    )


def _card(fitted: Fitted, origin: Origin) -> str:
    model, card, trial = fitted.model, fitted.model.card, fitted.trial
    rare = [head.name for head in HEADS if head.name not in model.forests]
    none = [name for name in rare if not card.trained_on[name]]
    facts = [
        ("file", f"`{MODEL_FILE}`, SHA-256 `{model.digest}`"),
        ("learnt of", origin.what),
        ("until", f"{_at(card.trained_until_ms)}"),
        (
            "how much",
            f"{card.trained_on['exposures']:,} exposures in {card.trained_on['slates']:,} slates",
        ),
        ("features", f"version `{card.features}`, {len(FEATURES)} of them"),
        ("licence", origin.licence),
        *((title, _with_error(trial.figures[name])) for name, title in _ORDERS.items()),
    ]
    return "\n".join(
        [
            f"# Model card: {model.digest[:12]}",
            "",
            *_table(("", ""), facts),
            "",
            (
                "**What it does.** Predicts what a viewer would do with a video: "
                f"{', '.join(head.name for head in HEADS)}. A policy says what each is worth; "
                "creation is the objective, watching only guards."
            ),
            "",
            (
                "**What it learnt of.** Exposures that apps reported, under decisions that are "
                f"known; what came of one counts for {MATURE_MS // 3_600_000} hours. The figures "
                f"are of the last {len(trial.examples):,} exposures, by a model that had not "
                f"learnt of them; [{REPORT_FILE}]({REPORT_FILE}) has those of each head."
            ),
            "",
            (
                "**Features.** A program with another version of them refuses the file. Nothing a "
                "person said about themselves is among them."
            ),
            "",
            f"**Too rare for trees**, so predicted by smoothed rates: {', '.join(rare) or '-'}.",
            f"Of these nobody did: {', '.join(none) or '-'}.",
            "",
            (
                "**Limits.** It knows what was shown, not what would have been liked; of that, it "
                "can learn from what is explored. Figures are of the days just before the end, and "
                "fall with time. A long watch is one of 18 s or of the whole video. What it knows "
                "of single videos it knows by their place in the log that it learnt of: it is of "
                "no use to another house."
            ),
            "",
        ]
    )


def _with_error(figure: Figure) -> str:
    return f"{figure.value:.4f} ± {figure.error:.4f}"


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _number(figures: Mapping[str, Figure], name: str) -> str:
    return f"{figures[name].value:.4f}" if name in figures else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join('---' for _ in head)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
