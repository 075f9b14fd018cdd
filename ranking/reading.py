"""Reading: one row of features for each candidate, as of a request, from the state alone."""

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.compiled import compiled
from ranking.features import FEATURES, INDEX
from ranking.histories import LONG, SKIP
from ranking.likeness import fill_learnt, fill_likeness
from ranking.rates import fill_candidates, fill_viewer, ground
from ranking.request import Affinities, Known, Matrix, Request
from ranking.signals import Signal

_NOBODY = -1
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000


def read(known: Known, request: Request, affinities: Affinities) -> Matrix:
    """Return the features of each candidate: (candidates, FEATURES)."""
    below = ground(known)
    shared = np.zeros((1, len(FEATURES)), np.float32)
    _situation(shared, request)
    _viewer(shared, known, request)
    _sequence(shared, request)
    fill_viewer(shared, known, request, below)
    out = np.empty((len(request.candidates), len(FEATURES)), np.float32)
    out[:] = shared
    if not len(out):
        return out
    out[:, INDEX["surface"]] = request.surface
    _video(out, known, request)
    _between(out, known, request)
    fill_likeness(out, known, request, affinities)
    fill_candidates(out, known, request, below)
    if len(affinities.effects.videos):
        fill_learnt(out, known, request, affinities.effects)
    return out


def _situation(shared: Matrix, request: Request) -> None:
    shared[0, INDEX["hour"]] = request.as_of_ms // _HOUR_MS % 24
    shared[0, INDEX["weekday"]] = (request.as_of_ms // _DAY_MS + 3) % 7


def _viewer(shared: Matrix, known: Known, request: Request) -> None:
    viewer = request.viewer
    if viewer < 0:
        return
    age_ms = max(request.as_of_ms - int(known.people.opened_ms[viewer]), 0)
    totals = known.counts.viewer.totals[viewer]
    done = totals[[Signal.IMPRESSIONS, Signal.CREATIONS, Signal.REMIXES]]
    counted = np.concatenate([known.people.circle[viewer], done])
    first = INDEX["viewer_age"]
    shared[0, first] = np.log1p(age_ms / _DAY_MS)
    shared[0, first + 1 : first + 7] = np.log1p(np.maximum(counted, 0))


def _sequence(shared: Matrix, request: Request) -> None:
    first = INDEX["last5_long"]
    watched = request.watched
    if not len(watched.video):
        shared[0, first : first + 8] = (-1, -1, -1, -1, 0, -1, 0, 0)
        return
    is_long = (watched.flags & LONG) > 0
    since_ms = np.maximum(request.as_of_ms - watched.at_ms, 0)
    streak = int(np.argmax(is_long[::-1])) if is_long.any() else len(is_long)
    last = slice(-20, None)
    count = min(len(is_long), 20)
    shared[0, first : first + 8] = (
        np.count_nonzero(is_long[-5:]) / min(count, 5),
        np.count_nonzero(is_long[last]) / count,
        int(watched.permille[last].sum(dtype=np.int64)) / (1000 * count),
        np.count_nonzero(watched.flags[last] & SKIP) / count,
        min(streak, 20),
        np.log1p(int(since_ms.min()) / 1000),
        np.count_nonzero(since_ms < _HOUR_MS),
        np.count_nonzero(since_ms < _DAY_MS),
    )


def _video(out: Matrix, known: Known, request: Request) -> None:
    videos, people, counts = known.videos, known.people, known.counts
    _look_at(
        out, INDEX["log_duration"], request.as_of_ms, request.candidates, request.author,
        (videos.looks, videos.published_ms, videos.remixable, videos.labels),
        (people.opened_ms, people.circle),
        (counts.video.totals, counts.author.totals),
        (int(Signal.REMIXES), int(Signal.CAMEO_USES)),
    )  # fmt: skip


def _between(out: Matrix, known: Known, request: Request) -> None:
    viewer, at, first = request.viewer, request.candidates, INDEX["follows"]
    out[:, first + 7] = -1
    if viewer < 0:
        return
    videos, people, author = known.videos, known.people, request.author
    follows, friends = people.follows.of(viewer), known.cameos.friends(viewer, request.as_of_ms)
    out[:, first] = _among(author, follows)
    out[:, first + 1] = _among(author, people.follows.by(viewer))
    out[:, first + 2] = _among(author, friends)
    out[:, first + 3] = _has_cameo_of(known, at, follows, friends)
    out[:, first + 4] = author == viewer
    favoured = known.histories.favoured(viewer).video
    if len(favoured):
        same_line = _among(videos.line[at], np.unique(videos.line[favoured]))
        out[:, first + 5] = same_line & ~_among(at, np.unique(favoured))
    met = known.histories.encounters(viewer, at)
    out[:, first + 6] = met[:, 2]
    hours = np.maximum(request.as_of_ms // 1000 - met[:, 0].astype(np.int64), 0) / 3600
    out[:, first + 7] = np.where(met[:, 0] > 0, np.log1p(hours), -1)


def _has_cameo_of(
    known: Known, candidates: Serials, follows: Serials, friends: Serials
) -> NDArray[np.bool_]:
    has = np.zeros(len(candidates), np.bool_)
    cast = np.flatnonzero(known.videos.cameo_counts[candidates])
    if len(cast):
        offsets, cameos = known.videos.cameos_of(candidates[cast])
        owner = known.cameos.owner[cameos]
        near = _among(owner, follows) | _among(owner, friends)
        has[np.repeat(cast, np.diff(offsets))[near]] = True
    return has


def _among(values: NDArray[np.int32], ordered: Serials) -> NDArray[np.bool_]:
    """Tell which values are in a sorted array."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.equal(ordered[places], values)


@compiled
def _look_at(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    out: Matrix,
    first: int,
    as_of_ms: int,
    candidates: Serials,
    authors: Serials,
    videos: tuple[Matrix, NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint32]],
    people: tuple[NDArray[np.int64], NDArray[np.int32]],
    totals: tuple[NDArray[np.int32], NDArray[np.int32]],
    signals: tuple[int, int],
) -> None:
    """Fill in what a video and its author are."""
    looks, published_ms, remixable, labels = videos
    for row in range(len(candidates)):
        video, author = candidates[row], authors[row]
        age_ms = max(as_of_ms - published_ms[video], 0)
        bits, count = labels[video], 0
        while bits:
            count += bits & 1
            bits >>= 1
        out[row, first] = looks[video, 0]
        out[row, first + 1] = np.log1p(age_ms / _HOUR_MS)
        out[row, first + 2] = looks[video, 1]
        out[row, first + 3] = looks[video, 2]
        out[row, first + 4] = looks[video, 3]
        out[row, first + 5] = np.log1p(max(totals[0][video, signals[0]], 0))
        out[row, first + 6] = looks[video, 4]
        out[row, first + 7] = remixable[video]
        out[row, first + 8] = count
        if author >= 0:
            opened_ms = max(as_of_ms - people[0][author], 0)
            out[row, first + 9] = np.log1p(opened_ms / _DAY_MS)
            out[row, first + 10] = np.log1p(max(people[1][author, 1], 0))
            out[row, first + 11] = np.log1p(max(totals[1][author, signals[1]], 0))
