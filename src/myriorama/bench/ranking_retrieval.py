"""Retrieval over the whole catalogue: who was brought what they then watched long, and how high up.

Everybody who watches something new to them for long after the cut is asked for once, at the cut.
The candidates are those of the pipeline's own sources over the pipeline's own state, the features
its own features; an order is learnt the same way four days earlier, of what was watched then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from myriorama.bench.outcome import Progress
from myriorama.bench.retrieval_scores import scored
from ranking.affinities import Affinities
from ranking.importing.kuairand import Imported, load
from ranking.policy import DEFAULT
from ranking.query import Query, Resolved, resolve
from ranking.signals import Signal
from ranking.sources import SOURCES, history
from ranking.state import State

Serials = NDArray[np.int32]
Matrix = NDArray[np.float32]

# What was shown has no prompts, lines, cameos or friends: these two sources have something to say.
QUOTAS = {"coview": 180, "trending": 20}
LEARNT_BEFORE = timedelta(days=4)
SEEDS = 3
UNWANTED_KEPT = 0.25
"""Of the candidates that nobody watched, so many are learnt of, each for four."""

_ZONE = timezone(timedelta(hours=8))
_HALF_LIVES_MS = (6 * 3_600_000, 86_400_000, 3 * 86_400_000)
_TREES = {
    "max_iter": 150,
    "learning_rate": 0.05,
    "max_depth": 5,
    "max_leaf_nodes": 31,
    "l2_regularization": 5.0,
    "min_samples_leaf": 100,
    "max_features": 0.4,
    "early_stopping": False,
}


class Audience(NamedTuple):
    """Who watches something new to them for long after a time (ms), and what."""

    as_of_ms: int
    viewers: Serials
    wanted: Sequence[Serials]


class Shelf(NamedTuple):
    """The candidates of one viewer, in the order of their sources, and what is known of each."""

    serials: Serials
    features: Matrix


class Learnt(NamedTuple):
    """The tables that the sources ask for."""

    affinities: Affinities


def midnight_ms(day: date) -> int:
    """Return when a day begins where the log was written."""
    return int(datetime.combine(day, time(), _ZONE).timestamp() * 1000)


def audience(imported: Imported, from_ms: int, until_ms: int | None = None) -> Audience:
    """Return who watched long, within these times, what they had not been shown before."""
    of = imported.exposures
    count = len(imported.videos)
    before = imported.deeds.take(slice(0, imported.before(from_ms)))
    shown = np.unique(_pairs(before.viewer, before.video, count)[before.video >= 0])
    within = (of.at_ms >= from_ms) & (of.long_view > 0)
    if until_ms is not None:
        within &= of.at_ms < until_ms
    watched = np.unique(_pairs(of.viewer[within], of.video[within], count))
    new = np.setdiff1d(watched, shown, assume_unique=True)
    viewers, starts = np.unique(new // count, return_index=True)
    return Audience(
        from_ms, viewers.astype(np.int32), np.split((new % count).astype(np.int32), starts[1:])
    )


def measure_retrieval(
    data: Path, test_from: date, progress: Progress
) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    """Learn an order of what was watched before the day, and score it from that day on.

    Returns:
        The figures, and those of each peer by its name.
    """
    # scipy and scikit-learn come with the extra that trains.
    from myriorama.bench import retrieval_peers  # noqa: PLC0415
    from ranking.training import affinities  # noqa: PLC0415

    imported = load(data)
    cut_ms, earlier_ms = midnight_ms(test_from), midnight_ms(test_from - LEARNT_BEFORE)
    state = imported.state()
    until, then = imported.before(earlier_ms), imported.before(cut_ms)
    state.fold(imported.deeds.take(slice(0, until)))
    earlier = audience(imported, earlier_ms, cut_ms)
    progress(f"retrieval: learning of {len(earlier.viewers):,} viewers")
    order = _Order(*examples(shelves(state, affinities.fit(state), earlier), earlier))
    boosting = retrieval_peers.boosting(state, earlier)
    state.fold(imported.deeds.take(slice(until, then)))
    tested = audience(imported, cut_ms)
    lists = [order.sorted(shelf) for shelf in shelves(state, affinities.fit(state), tested)]
    found = scored(lists, tested.wanted)
    count = float(np.mean([*map(len, lists)]))
    progress(f"retrieval: {len(lists):,} viewers, {count:.0f} candidates each: {found}")
    peers = retrieval_peers.scores(state, tested, boosting, progress)
    return {**found.figures(), "candidates": count}, peers


def shelves(state: State, tables: Affinities, asked: Audience) -> Iterator[Shelf]:
    """Yield the candidates of each viewer with their features."""
    for viewer in asked.viewers.tolist():
        query = Query(UUID(int=0), state.people.id_of(viewer), "for_you", asked.as_of_ms, 0)
        resolved = resolve(query, state.people, state.videos)
        yield _shelf(state, tables, resolved)


def _shelf(state: State, tables: Affinities, query: Resolved) -> Shelf:
    found = {
        name: SOURCES[name].find(state, query, DEFAULT, quota, Learnt(tables))
        for name, quota in QUOTAS.items()
    }
    every = np.concatenate([each.serials for each in found.values()])
    _, first = np.unique(every, return_index=True)
    serials = every[np.sort(first)]
    own = state.read(query.viewer, serials, query.as_of_ms, coview=tables)
    brought = np.zeros(len(serials), np.float32)
    coview = found["coview"]
    brought[: len(coview.serials)] = coview.strength
    added = np.column_stack(
        [
            brought,
            np.arange(len(serials)),
            *_closeness(state, tables, query.viewer, serials),
            *(
                state.counts.video.decayed(signal, query.as_of_ms, half_life_ms, serials)
                for signal in (Signal.LONG_WATCHES, Signal.IMPRESSIONS)
                for half_life_ms in _HALF_LIVES_MS
            ),
        ]
    )
    return Shelf(serials, np.hstack([own, added.astype(np.float32)]))


def _closeness(
    state: State, tables: Affinities, viewer: int, serials: Serials
) -> Iterator[NDArray[np.float64] | Matrix]:
    """Yield what goes with what the viewer was shown and watched, and its places among the rest."""
    shown, long = history.shown(state, viewer), history.long_watched(state, viewer)
    for close in (
        tables.shown.similarity(shown.videos, shown.weights, serials),
        tables.shown.similarity(shown.videos, np.ones_like(shown.weights), serials),
        tables.long.similarity(long.videos, long.weights, serials),
        tables.long.similarity(long.videos, np.ones_like(long.weights), serials),
        state.coviews.similarity(long.videos, long.weights, serials),
    ):
        yield close
        yield np.argsort(np.argsort(-close, kind="stable"), kind="stable").astype(np.float64)


class _Order:
    """What was learnt of who then watched which of their candidates; the mean of several seeds."""

    def __init__(self, features: Matrix, was_wanted: NDArray[np.bool_]) -> None:
        from sklearn.ensemble import (  # noqa: PLC0415 - comes with an extra
            HistGradientBoostingClassifier,
        )

        weights = np.where(was_wanted, 1.0, 1 / UNWANTED_KEPT)
        self._models = [
            HistGradientBoostingClassifier(random_state=seed, **_TREES).fit(
                features, was_wanted, sample_weight=weights
            )
            for seed in range(SEEDS)
        ]

    def sorted(self, shelf: Shelf) -> Serials:
        """Return the candidates, those first that are the most likely to be watched."""
        chances = sum(model.predict_proba(shelf.features)[:, 1] for model in self._models)
        return shelf.serials[np.argsort(-chances, kind="stable")]


def examples(shelves_: Iterable[Shelf], asked: Audience) -> tuple[Matrix, NDArray[np.bool_]]:
    """Return candidates that were watched, and some of the others, as rows to learn of."""
    random = np.random.default_rng(0)
    rows, labels = list[Matrix](), list[NDArray[np.bool_]]()
    for shelf, wanted in zip(shelves_, asked.wanted, strict=True):
        was_wanted = np.isin(shelf.serials, wanted)
        kept = was_wanted | (random.random(len(was_wanted)) < UNWANTED_KEPT)
        rows.append(shelf.features[kept])
        labels.append(was_wanted[kept])
    return np.concatenate(rows), np.concatenate(labels)


def _pairs(viewers: Serials, videos: Serials, count: int) -> NDArray[np.int64]:
    """Return one number for each viewer with a video."""
    return viewers.astype(np.int64) * count + videos
