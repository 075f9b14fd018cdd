"""Makes examples of exposures: deeds are folded in their order, each slate read when it was made.

The effects are learnt anew each day, of what was watched before it, as they are in production.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.affinities import Affinities
from ranking.deeds import Deeds, Kind
from ranking.effects import Effects
from ranking.features import FEATURES
from ranking.heads import HEAD_INDEX, Outcomes, labels
from ranking.importing.kuairand import DAY_MS, LOCAL_MS, Imported
from ranking.relative import with_relative
from ranking.signals import is_long
from ranking.state import State
from ranking.training import effects
from ranking.training.effects import Watches
from ranking.training.examples import Examples, numbered

Progress = Callable[[str], None]

BEHIND_MS = 60_000
"""The state is folded on when it is so far behind, as that of a live follower is."""


class Slate(NamedTuple):
    """What one viewer was shown on one day: the rows, and when the first of them was shown."""

    viewer: int
    at_ms: int
    rows: NDArray[np.int64]


def examples(imported: Imported, progress: Progress, *, until_ms: int | None = None) -> Examples:
    """Return an example of every exposure until a time; `progress` is told how far it is."""
    shown = imported.exposures
    state = imported.state()
    features = np.zeros((len(shown), len(FEATURES)), np.float32)
    durations_ms = state.videos.duration_ms
    watches = watches_of(_all_watches(imported), durations_ms)
    folded, folded_ms, day, tables = 0, 0, -1, Affinities.empty()
    for slate in _slates(imported):
        if until_ms is not None and slate.at_ms >= until_ms:
            break
        if slate.at_ms - folded_ms >= BEHIND_MS:
            upto, folded_ms = imported.before(slate.at_ms), slate.at_ms
            state.fold(imported.deeds.take(slice(folded, upto)))
            folded = upto
        today = (slate.at_ms + LOCAL_MS) // DAY_MS
        if today != day:
            learnt = _learnt(watches, state, today * DAY_MS - LOCAL_MS)
            tables = tables._replace(effects=learnt)
            progress(f"features: day {today - _first_day(imported) + 1}, {folded:,} deeds folded")
            day = today
        features[slate.rows] = state.read(
            slate.viewer,
            shown.video[slate.rows],
            slate.at_ms,
            surface=shown.surface[slate.rows],
            coview=tables,
        )
    slates = numbered(shown.slate)
    everything = Examples(
        features=with_relative(features, slates),
        slate=slates,
        viewer=shown.viewer,
        at_ms=shown.at_ms,
        duration_ms=shown.duration_ms,
        labels=_labels(imported),
    )
    return everything if until_ms is None else everything.take(everything.at_ms < until_ms)


def watched(imported: Imported) -> Watches:
    """Return every showing that was watched, by when it was over."""
    return watches_of(_all_watches(imported), imported.state().videos.duration_ms)


def watches_of(deeds: Deeds, durations_ms: NDArray[np.int32]) -> Watches:
    """Return the watches among deeds whose only report is their last."""
    long = np.array(
        [
            is_long(value, duration_ms)
            for value, duration_ms in zip(
                deeds.value.tolist(), durations_ms[deeds.video].tolist(), strict=True
            )
        ],
        np.bool_,
    )
    return Watches(deeds.viewer, deeds.video, deeds.surface, deeds.at_ms, long)


def outcomes(imported: Imported) -> Outcomes:
    """Return what followed of each exposure. Nobody remixes here, or creates."""
    shown = imported.exposures
    flags = {
        "like": shown.like,
        "comment": shown.comment,
        "share": shown.forward,
        "follow": shown.follow,
        "less": shown.hate,
    }
    return Outcomes(
        watched_ms=shown.play_ms,
        loops=(shown.play_ms // np.maximum(shown.duration_ms, 1)).astype(np.int32),
        duration_ms=shown.duration_ms,
        acted={head: flag > 0 for head, flag in flags.items()},
        created=np.zeros(len(shown), np.bool_),
    )


def _all_watches(imported: Imported) -> Deeds:
    deeds = imported.deeds
    return deeds.take(np.flatnonzero((deeds.kind == Kind.WATCH) & (deeds.video >= 0)))


def _labels(imported: Imported) -> NDArray[np.bool_]:
    """Return the labels; what a long watch is, the data say themselves."""
    found = labels(outcomes(imported))
    found[:, HEAD_INDEX["watch"]] = imported.exposures.long_view > 0
    return found


def _learnt(watches: Watches, state: State, until_ms: int) -> Effects:
    count = int(np.searchsorted(watches.at_ms, until_ms))
    return effects.fit(watches.take(slice(0, count)), state.videos)


def _first_day(imported: Imported) -> int:
    return int(imported.exposures.at_ms[0] + LOCAL_MS) // DAY_MS


def _slates(imported: Imported) -> Iterator[Slate]:
    """Yield the slates in the order in which their first exposures were."""
    shown = imported.exposures
    order = np.argsort(shown.slate, kind="stable")
    ordered = shown.slate[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    groups: list[NDArray[np.int64]] = np.split(order, begins[1:])
    places: list[int] = np.argsort([group[0] for group in groups], kind="stable").tolist()
    for place in places:
        rows: NDArray[np.int64] = groups[place]
        yield Slate(int(shown.viewer[rows[0]]), int(shown.at_ms[rows[0]]), rows)
