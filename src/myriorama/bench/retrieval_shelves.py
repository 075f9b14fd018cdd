"""Shelves: what the pipeline's sources bring a viewer at one time, and what is known of each.

Sources, state and features are those of the pipeline; beside its features stands how strongly and
how far up the sources brought a candidate.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities
from ranking.importing.kuairand import Imported
from ranking.policy import DEFAULT
from ranking.query import Query, Resolved, resolve
from ranking.signals import Signal
from ranking.sources import SOURCES, history
from ranking.state import State

Serials = NDArray[np.int32]
Matrix = NDArray[np.float32]

# What was shown has no prompts, lines, cameos or friends: these two sources have something to say.
QUOTAS = {"coview": 180, "trending": 20}
UNWANTED_KEPT = 0.125
"""Of the candidates that nobody watched, so many are learnt of, each for eight."""

_AT_ONCE = 200
_HALF_LIVES_MS = (6 * 3_600_000, 86_400_000, 3 * 86_400_000)


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


def weights_of(was_wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what each row counts for, when only some of the unwanted are kept."""
    return np.where(was_wanted, 1.0, 1 / UNWANTED_KEPT)


def ordered(shelves_: Iterable[Shelf], score: Callable[[Matrix], Any]) -> list[Serials]:
    """Return the candidates of each viewer, those of the highest score first."""
    lists: list[Serials] = []
    waiting = iter(shelves_)
    while some := list(islice(waiting, _AT_ONCE)):
        scores = np.asarray(score(np.concatenate([shelf.features for shelf in some])))
        ends = np.cumsum([len(shelf.serials) for shelf in some])
        lists += [
            shelf.serials[np.argsort(-of_shelf, kind="stable")]
            for shelf, of_shelf in zip(some, np.split(scores, ends[:-1]), strict=True)
        ]
    return lists


def _pairs(viewers: Serials, videos: Serials, count: int) -> NDArray[np.int64]:
    """Return one number for each viewer with a video."""
    return viewers.astype(np.int64) * count + videos
