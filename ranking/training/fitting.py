"""Fits a model to examples: its heads, how they are calibrated, and what it came to.

Everything is tried first on the last slates, by what was learnt of the ones before; what the model
is then made of has learnt of all.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities
from ranking.features import FEATURES, INDEX, VERSION
from ranking.forest import Forest
from ranking.heads import HEADS, POSITIVES_MIN, Head
from ranking.linear import Linear, probability
from ranking.model import FORMAT, ORDER, Card, Model, Scale
from ranking.training import forests, linear_heads, metrics
from ranking.training.examples import Examples, mixed
from ranking.training.forests import Growth
from ranking.utility import centred

Progress = Callable[[str], None]
Matrix = NDArray[np.float32]
Scores = NDArray[np.float64]

EXPOSURES_MIN = 2000
TRIED_ON = 0.2
"""The share of the time on which everything is tried first."""

ORDER_SHARE = 0.5
_ORDER_WEIGHTS = (0.5, 0.7)


class TooLittle(ValueError):
    """There is not enough to learn of; the message says what there is and what is needed."""


class Plan(NamedTuple):
    """How much is grown. `watch` is of the head that most is known of."""

    watch: Growth = Growth(seeds=2)
    order: Growth = Growth(trees=120, rate=0.03, leaf_rows_min=200, seeds=2)
    other: Growth = Growth(trees=90, rate=0.07)
    positives_min: int = POSITIVES_MIN


USUAL = Plan()


class Trial(NamedTuple):
    """What came of the last slates: the examples, and what was predicted of them."""

    examples: Examples
    predictions: Matrix
    figures: Mapping[str, metrics.Figure]


class Fitted(NamedTuple):
    """A model, and what its report tells."""

    model: Model
    trial: Trial
    curve: Mapping[int, tuple[float, float]]
    """By how many exposures were learnt of: AUC and AUC within slates of the watch head."""


def fit(
    examples: Examples,
    affinities: Affinities | None,
    progress: Progress,
    *,
    until_ms: int,
    plan: Plan = USUAL,
) -> Fitted:
    """Return a model of the examples.

    Raises:
        TooLittle: there are too few exposures, or nobody watched any of them long, or all did.
    """
    _require_enough(examples)
    earlier, later = _split(examples)
    progress(f"trying on the last {len(later):,} of {len(examples):,} exposures")
    small = plan._replace(watch=plan.watch._replace(seeds=1), order=plan.order._replace(seeds=1))
    trees = _grown(earlier, small, progress)
    scales = _calibrated(trees, earlier, later)
    tried = _model(linear_heads.fit(earlier), trees, scales, affinities, earlier, until_ms, {})
    predictions = tried.of_rows(later.features, later.slate)
    trial = Trial(later, predictions, figures(later, predictions))
    curve = _curve(earlier, later, plan, progress)
    progress("learning of all")
    whole = _model(
        linear_heads.fit(examples),
        _grown(examples, plan, progress),
        scales,
        affinities,
        examples,
        until_ms,
        {name: round(figure.value, 4) for name, figure in trial.figures.items()},
    )
    return Fitted(Model.load(whole.encode()), trial, curve)


def figures(examples: Examples, predictions: Matrix) -> Mapping[str, metrics.Figure]:
    """Measure the watch head and every other that there are examples of."""
    watch, label = _column(predictions, "watch"), examples.label("watch")
    slates = metrics.by_slate(label, watch, examples.slate, examples.viewer)
    found = {
        "auc": metrics.auc_with_error(label, watch, examples.viewer),
        "gauc": metrics.gauc(slates),
        "ndcg10": metrics.ndcg(slates),
    }
    for place, head in enumerate(HEADS):
        label, predicted = examples.labels[:, place], predictions[:, place].astype(np.float64)
        if label.sum() < 2:  # noqa: PLR2004 - nothing to measure
            continue
        found[f"{head.name}_auc"] = metrics.Figure(metrics.auc(label, predicted), float("nan"))
        found[f"{head.name}_ece"] = metrics.Figure(metrics.ece(label, predicted), float("nan"))
    return found


def _require_enough(examples: Examples) -> None:
    slates = int(examples.slate.max(initial=-1)) + 1
    watched = int(examples.label("watch").sum())
    if len(examples) < EXPOSURES_MIN or not 0 < watched < len(examples):
        raise TooLittle(
            f"There are {len(examples):,} exposures in {slates:,} slates, {watched:,} of them "
            f"watched long; it takes {EXPOSURES_MIN:,} exposures, some watched long and some not."
        )


def _split(examples: Examples) -> tuple[Examples, Examples]:
    """Part the slates by when they were made."""
    count = int(examples.slate.max()) + 1
    begins = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(begins, examples.slate, examples.at_ms)
    cut = np.quantile(begins, 1 - TRIED_ON)
    is_later = (begins > cut)[examples.slate]
    earlier, later = examples.take(~is_later), examples.take(is_later)
    label = later.label("watch")
    if not 0 < label.sum() < len(later) or not 0 < earlier.label("watch").sum() < len(earlier):
        raise TooLittle("The exposures lie too close together in time to try a model on the last.")
    return earlier, later


def _grown(examples: Examples, plan: Plan, progress: Progress) -> dict[str, Forest]:
    rows = examples.features
    grown: dict[str, Forest] = {}
    for place, head in enumerate(HEADS):
        label = examples.labels[:, place]
        if not _has_trees(head, label, plan):
            continue
        progress(f"head {head.name}: {int(label.sum()):,} of {len(label):,}")
        growth = plan.watch if head.name == "watch" else plan.other
        grown[head.name] = forests.classify(rows, label, growth)
    progress("order within slates")
    grown[ORDER] = _order(rows, examples, plan)
    return grown


def _has_trees(head: Head, label: NDArray[np.bool_], plan: Plan) -> bool:
    rarer = min(int(label.sum()), int((~label).sum()))
    return rarer >= plan.positives_min or (head.name == "watch" and rarer > 0)


def _order(rows: Matrix, examples: Examples, plan: Plan) -> Forest:
    """Grow what corrects the log odds of the effects: trees fitted to what they get wrong.

    Half of it over everything, half within the slates in which outcomes differ: the two err in
    different ways, and are better together.
    """
    effect = examples.features[:, INDEX["effect_all"]].astype(np.float64)
    likely = probability(effect)
    label = examples.label("watch")
    # In log odds: a probability moves by its slope, here that of the average row.
    missing = (label - likely) / float((likely * (1 - likely)).mean())
    overall = forests.regress(rows, missing, plan.order)
    within = mixed(label, examples.slate)
    if not within.any():
        return overall
    target = centred(missing, examples.slate).astype(np.float64)[within]
    inside = forests.regress(rows[within], target, plan.order)
    return forests.weighted((overall, inside), _ORDER_WEIGHTS)


def _calibrated(
    trees: Mapping[str, Forest], earlier: Examples, later: Examples
) -> tuple[Scale, ...]:
    """Fit what makes of each head's score a probability, on what it has not learnt of."""
    rows = later.features
    scales: list[Scale] = []
    for place, head in enumerate(HEADS):
        label = later.labels[:, place]
        if head.name not in trees:
            everything = np.r_[earlier.labels[:, place], label]
            scales.append(_rate(head, earlier, later, everything))
            continue
        raw = trees[head.name].score(rows)
        order = ORDER_SHARE if head.name == "watch" else 0.0
        if order:
            effect = later.features[:, INDEX["effect_all"]].astype(np.float64)
            raw = raw + order * centred(effect + trees[ORDER].score(rows) - raw, later.slate)
        slope, shift = _platt(raw, label)
        scales.append(Scale(slope=slope, shift=shift, order=order))
    return tuple(scales)


def _rate(head: Head, earlier: Examples, later: Examples, label: NDArray[np.bool_]) -> Scale:
    """Scale the smoothed rate among the features to how often it really happens."""
    column = INDEX[head.rate]
    rates = np.r_[earlier.features[:, column], later.features[:, column]].astype(np.float64)
    share = (label.sum() + 0.5) / (len(label) + 1)
    mean = float(np.maximum(rates, 0).mean())
    if mean <= 0:
        return Scale(slope=float(share))
    return Scale(slope=float(share / mean), column=column)


def _platt(raw: Scores, label: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and shift of a logistic regression on the score."""
    if not 0 < label.sum() < len(label):
        return 1.0, 0.0
    rows = np.column_stack([raw, np.ones(len(raw))])
    found = np.array([1.0, 0.0])
    for _ in range(20):
        likely = probability(rows @ found)
        # Leans on what is: one unit of slope, no shift.
        slope = rows.T @ (label - likely) - (found - (1.0, 0.0))
        bend = (rows * (likely * (1 - likely))[:, np.newaxis]).T @ rows + np.eye(2)
        found += np.linalg.solve(bend, slope)
    return max(float(found[0]), 0.0), float(found[1])


def _model(  # noqa: PLR0913, PLR0917 - what a model is made of
    linear: Linear,
    trees: Mapping[str, Forest],
    scales: tuple[Scale, ...],
    affinities: Affinities | None,
    examples: Examples,
    until_ms: int,
    measured: Mapping[str, float],
) -> Model:
    positives = {head.name: int(examples.label(head.name).sum()) for head in HEADS}
    card = Card(
        format=FORMAT,
        features=VERSION,
        heads=tuple(head.name for head in HEADS),
        scales=scales,
        starts={name: forest.start for name, forest in trees.items()},
        trained_until_ms=until_ms,
        trained_on={
            "exposures": len(examples),
            "slates": int(examples.slate.max()) + 1,
            "features": len(FEATURES),
            **positives,
        },
        figures={name: value for name, value in measured.items() if value == value},  # noqa: PLR0124 - NaN
    )
    return Model(card, linear, dict(trees), affinities)


def _curve(
    earlier: Examples, later: Examples, plan: Plan, progress: Progress
) -> Mapping[int, tuple[float, float]]:
    """Learn the watch head of ever more of the slates, and measure it on the last."""
    progress("learning curve")
    label = later.label("watch")
    growth = plan.other._replace(seeds=1)
    curve: dict[int, tuple[float, float]] = {}
    for stride in (16, 8, 4, 2, 1):
        part = earlier.take(earlier.slate % stride == 0)
        if not 0 < part.label("watch").sum() < len(part):
            continue
        forest = forests.classify(part.features, part.label("watch"), growth)
        score = forest.score(later.features)
        slates = metrics.by_slate(label, score, later.slate, later.viewer)
        curve[len(part)] = metrics.auc(label, score), metrics.gauc(slates).value
    return curve


def _column(predictions: Matrix, head: str) -> Scores:
    return predictions[:, [each.name for each in HEADS].index(head)].astype(np.float64)
