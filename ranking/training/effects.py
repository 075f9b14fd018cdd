"""Fits the effects: crossed random effects of a logistic regression, by turns until they settle.

Every cause leans on 0 by its ridge: about as many watches as it takes to believe half of what they
say. The viewer's effect and that of the sitting are fitted so that the others are not blamed for
them; they are not kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import Videos
from ranking.compiled import compiled
from ranking.effects import SURFACE_RIDGE, SURFACES, VIEWER_RIDGE, Effects

Serials = NDArray[np.int32]
Numbers = NDArray[np.int64]

SWEEPS = 8
SITTING = 8
"""So many watches in a row of one day count as one sitting."""

_DAY_MS = 86_400_000
_RIDGES: Mapping[str, float] = {
    "surface": 1.0,
    "viewer": VIEWER_RIDGE,
    "sitting": 3.0,
    "video": 12.0,
    "author": 15.0,
    "topic": 7.0,
    "duration": 100.0,
    "place": 100.0,
    "viewer_there": SURFACE_RIDGE,
}


@dataclass(frozen=True, slots=True)
class Watches:
    """What was watched, in the order of time, a showing a row."""

    viewer: Serials
    video: Serials
    surface: NDArray[np.int8]
    at_ms: Numbers
    is_long: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.viewer)

    def take(self, rows: NDArray[Any] | slice) -> "Watches":
        """Return some of the rows."""
        return Watches(
            self.viewer[rows],
            self.video[rows],
            self.surface[rows],
            self.at_ms[rows],
            self.is_long[rows],
        )


def fit(watches: Watches, videos: Videos) -> Effects:
    """Return the effects that explain best what was watched long."""
    if not len(watches) or watches.is_long.all() or not watches.is_long.any():
        return Effects.empty()
    causes = {name: _numbered(keys) for name, keys in _causes(watches, videos).items()}
    outcome = watches.is_long.astype(np.float64)
    share = float(outcome.mean())
    start = float(np.log(share / (1 - share)))
    odds = np.full(len(watches), start)
    values = {name: np.zeros(len(keys)) for name, (keys, _) in causes.items()}
    for _ in range(SWEEPS):
        for name, (_, rows) in causes.items():
            _settle(rows, outcome, odds, values[name], _RIDGES[name])
    table = {name: (keys, values[name]) for name, (keys, _) in causes.items()}
    return _compiled_effects(table, videos, start)


def _causes(watches: Watches, videos: Videos) -> Mapping[str, Numbers]:
    video, viewer = watches.video.astype(np.int64), watches.viewer.astype(np.int64)
    surface = watches.surface.astype(np.int64)
    return {
        "surface": surface,
        "viewer": viewer,
        "sitting": _sittings(watches),
        "video": video,
        "author": videos.author[video].astype(np.int64),
        "topic": videos.topic[video].astype(np.int64),
        "duration": videos.duration_bucket[video].astype(np.int64),
        "place": video * SURFACES + surface,
        "viewer_there": viewer * SURFACES + surface,
    }


def _sittings(watches: Watches) -> Numbers:
    """Number the sittings: up to `SITTING` watches in a row of one viewer on one day."""
    days = watches.viewer.astype(np.int64) * 1_000_000 + watches.at_ms // _DAY_MS
    order = np.argsort(days, kind="stable")
    ordered = days[order]
    is_first = np.r_[True, ordered[1:] != ordered[:-1]]
    begins = np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
    within = (np.arange(len(days)) - begins) // SITTING
    numbers = np.empty(len(days), np.int64)
    numbers[order] = np.cumsum(is_first | np.r_[False, within[1:] != within[:-1]])
    return numbers


def _numbered(keys: Numbers) -> tuple[Numbers, Numbers]:
    unique, rows = np.unique(keys, return_inverse=True)
    return unique, rows.astype(np.int64)


def _compiled_effects(
    table: Mapping[str, tuple[Numbers, NDArray[np.float64]]], videos: Videos, start: float
) -> Effects:
    """Add up what is known of each video; keep by number what speaks for the others."""
    count = {"surface": SURFACES, "author": 0, "topic": 0, "duration": 0}
    dense: dict[str, NDArray[np.float32]] = {}
    for name, least in count.items():
        keys, values = table[name]
        known = keys >= 0
        dense[name] = np.zeros(max(least, int(keys.max(initial=-1)) + 1), np.float32)
        dense[name][keys[known]] = values[known]
    serials, own = table["video"]
    whole = own.copy()
    for name, numbers in (
        ("author", videos.author),
        ("topic", videos.topic),
        ("duration", videos.duration_bucket),
    ):
        of = numbers[serials]
        whole += np.where(of >= 0, dense[name][np.maximum(of, 0)], 0.0)
    places, there = table["place"]
    return Effects(
        start=np.array([start], np.float32),
        surface=dense["surface"],
        videos=serials.astype(np.int32),
        video=whole.astype(np.float32),
        places=places,
        place=there.astype(np.float32),
        author=dense["author"],
        topic=dense["topic"],
        duration=dense["duration"],
    )


@compiled
def _settle(
    rows: Numbers,
    outcome: NDArray[np.float64],
    odds: NDArray[np.float64],
    values: NDArray[np.float64],
    ridge: float,
) -> None:
    """Move each value of a cause by one Newton step, all others as they are."""
    slopes = -ridge * values
    bends = np.full(len(values), ridge)
    for watch in range(len(rows)):
        likely = 1.0 / (1.0 + np.exp(-odds[watch]))
        slopes[rows[watch]] += outcome[watch] - likely
        bends[rows[watch]] += likely * (1.0 - likely)
    steps = slopes / bends
    values += steps
    for watch in range(len(rows)):
        odds[watch] += steps[rows[watch]]
