"""Reading: one row of features for each candidate, as of a request, from the state alone."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ranking import features as f
from ranking.cameos import Cameos
from ranking.catalogue import CODE_STEPS, Videos
from ranking.chains import Serials
from ranking.compiled import compiled
from ranking.counts import Counts
from ranking.effects import SURFACES, Effects
from ranking.features import FEATURES, INDEX
from ranking.histories import LONG, SKIP, Histories, Watched
from ranking.people import People
from ranking.signals import Signal
from ranking.smoothing import Matrix, Priors, fill_recent, fill_totals

_NOBODY = -1
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000
_POSITIVES = 20
_NEAREST = 8
_STEPS_HALVED = 20.0
# What is thought of rates before anything was counted.
_GUESSES = {
    Signal.LONG_WATCHES: 0.3,
    Signal.COMPLETIONS: 0.3,
    Signal.QUICK_SKIPS: 0.3,
    Signal.WATCH_PERMILLE: 0.4,
    Signal.CLICKS: 0.4,
    Signal.LIKES: 0.02,
    Signal.WATCHES: 0.7,
}
_RARE = 0.002
_EVERYTHING = np.zeros(1, np.int32)


class Table(Protocol):
    """Which videos go with which, as weights."""

    def similarity(
        self, history: Serials, weights: NDArray[np.float32], candidates: Serials
    ) -> NDArray[np.float32]:
        """Return how well each candidate goes with a history, 0 where nothing is known."""
        ...


class Affinities(Protocol):
    """What goes with what by long watches and by all that was watched, and what moves the odds."""

    @property
    def long(self) -> Table | None: ...

    @property
    def shown(self) -> Table | None: ...

    @property
    def effects(self) -> Effects: ...


class Known(NamedTuple):
    """All that features are read from."""

    videos: Videos
    people: People
    cameos: Cameos
    counts: Counts
    histories: Histories


class Request(NamedTuple):
    """Whose candidates, when and where; viewer -1 is nobody that anything is known of.

    `surface` is of each candidate.
    """

    viewer: int
    candidates: Serials
    as_of_ms: int
    surface: NDArray[np.int32]


def read(known: Known, request: Request, coview: Affinities | None) -> Matrix:
    """Return the features of each candidate: (candidates, FEATURES)."""
    out = np.zeros((len(request.candidates), len(FEATURES)), np.float32)
    if not len(out):
        return out
    _situation(out, request)
    _video(out, known, request)
    _viewer(out, known, request)
    _sequence(out, known, request)
    _between(out, known, request)
    _likeness(out, known, request, coview)
    _rates(out, known, request)
    _differences(out)
    if coview is not None and len(coview.effects.videos):
        _learnt(out, known, request, coview.effects)
    return out


def _situation(out: Matrix, request: Request) -> None:
    out[:, INDEX["surface"]] = request.surface
    out[:, INDEX["hour"]] = request.as_of_ms // _HOUR_MS % 24
    out[:, INDEX["weekday"]] = (request.as_of_ms // _DAY_MS + 3) % 7


def _video(out: Matrix, known: Known, request: Request) -> None:
    videos, at = known.videos, request.candidates
    author = videos.author[at]
    width, height = np.maximum(videos.width[at], 1), np.maximum(videos.height[at], 1)
    age_ms = np.maximum(request.as_of_ms - videos.published_ms[at], 0)
    first = INDEX["log_duration"]
    out[:, first] = np.log(np.maximum(videos.duration_ms[at], 1) / 1000)
    out[:, first + 1] = np.log1p(age_ms / _HOUR_MS)
    out[:, first + 2] = np.log(height / width)
    out[:, first + 3] = np.log(height.astype(np.float64) * width)
    out[:, first + 4] = videos.depth[at]
    out[:, first + 5] = _log1p(known.counts.video.total(Signal.REMIXES, at))
    out[:, first + 6] = videos.cameo_counts[at]
    out[:, first + 7] = videos.remixable[at]
    out[:, first + 8] = np.bitwise_count(videos.labels[at])
    has_author = author >= 0
    opened_ms = known.people.opened_ms[author]
    age_days = np.maximum(request.as_of_ms - opened_ms, 0) / _DAY_MS
    out[:, first + 9] = np.where(has_author, np.log1p(age_days), 0)
    out[:, first + 10] = np.where(has_author, _log1p(known.people.circle[author, 1]), 0)
    out[:, first + 11] = _log1p(known.counts.author.total(Signal.CAMEO_USES, author))


def _viewer(out: Matrix, known: Known, request: Request) -> None:
    viewer = request.viewer
    if viewer < 0:
        return
    age_ms = max(request.as_of_ms - int(known.people.opened_ms[viewer]), 0)
    row = np.array([viewer], np.int32)
    first = INDEX["viewer_age"]
    out[:, first] = np.log1p(age_ms / _DAY_MS)
    out[:, first + 1 : first + 4] = _log1p(known.people.circle[viewer])
    for place, signal in enumerate((Signal.IMPRESSIONS, Signal.CREATIONS, Signal.REMIXES)):
        out[:, first + 4 + place] = _log1p(known.counts.viewer.total(signal, row))


def _sequence(out: Matrix, known: Known, request: Request) -> None:
    first = INDEX["last5_long"]
    out[:, first : first + 4] = -1
    out[:, first + 5] = -1
    watched = _lately(known, request)
    if not len(watched.video):
        return
    is_long = (watched.flags & LONG) > 0
    since_ms = np.maximum(request.as_of_ms - watched.at_ms, 0)
    streak = np.argmax(is_long[::-1]) if is_long.any() else len(is_long)
    out[:, first : first + 8] = (
        is_long[-5:].mean(),
        is_long[-20:].mean(),
        watched.permille[-20:].mean() / 1000,
        ((watched.flags[-20:] & SKIP) > 0).mean(),
        min(int(streak), 20),
        np.log1p(since_ms.min() / 1000),
        (since_ms < _HOUR_MS).sum(),
        (since_ms < _DAY_MS).sum(),
    )


def _lately(known: Known, request: Request) -> Watched:
    """Return what the viewer watched since they last asked to have it forgotten."""
    watched = known.histories.watched(request.viewer)
    if request.viewer < 0 or not known.people.forgotten_ms[request.viewer]:
        return watched
    kept = watched.at_ms > known.people.forgotten_ms[request.viewer]
    return Watched(*(column[kept] for column in watched))


def _between(out: Matrix, known: Known, request: Request) -> None:
    viewer, at = request.viewer, request.candidates
    first = INDEX["follows"]
    out[:, first + 7] = -1
    if viewer < 0:
        return
    videos, people = known.videos, known.people
    author = videos.author[at]
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
    offsets, cameos = known.videos.cameos_of(candidates)
    has = np.zeros(len(candidates), np.bool_)
    if len(cameos):
        owner = np.where(cameos >= 0, known.cameos.owner[cameos], _NOBODY)
        near = _among(owner, follows) | _among(owner, friends)
        has[np.repeat(np.arange(len(candidates)), np.diff(offsets))[near]] = True
    return has


def _likeness(out: Matrix, known: Known, request: Request, coview: Affinities | None) -> None:
    watched = _lately(known, request)
    if request.viewer < 0:
        return
    first = INDEX["near_positives"]
    favoured = known.histories.favoured(request.viewer)
    recent = favoured.at_ms > known.people.forgotten_ms[request.viewer]
    liked = favoured.video[recent][-_POSITIVES:]
    long = watched.video[(watched.flags & LONG) > 0]
    skipped = watched.video[(watched.flags & SKIP) > 0][-_POSITIVES:]
    positives = np.concatenate([liked, long[-_POSITIVES:]])
    codes = known.videos.codes
    _near(out, first, codes, request.candidates, positives)
    _near(out, first + 1, codes, request.candidates, skipped)
    _nearest(out, first + 2, codes, request.candidates, positives[-_NEAREST:])
    tables = (coview.long, coview.shown) if coview else (None, None)
    for column, table, history in zip((3, 4), tables, (long, watched.video), strict=True):
        if table is not None and len(history):
            steps_back = np.arange(len(history) - 1, -1, -1)
            weights = np.exp2(-steps_back / _STEPS_HALVED).astype(np.float32)
            out[:, first + column] = table.similarity(history, weights, request.candidates)


def _rates(out: Matrix, known: Known, request: Request) -> None:
    counts, videos, at = known.counts, known.videos, request.candidates
    author, topic, duration = videos.author[at], videos.topic[at], videos.duration_bucket[at]
    viewer = np.array([request.viewer], np.int32)
    days, pair = f.DAYS_HALF_LIFE_MS, f.PAIR_HALF_LIFE_MS
    now = request.as_of_ms
    overall = _overall(counts, now)
    fill_recent(out, f.DURATION_DAYS, counts.duration, duration, now, days, overall)
    same = _columns(out, f.DURATION_DAYS)
    fill_recent(out, f.VIDEO_DAYS, counts.video, at, now, days, same)
    own = _columns(out, f.VIDEO_DAYS)
    hours = f.HOURS_HALF_LIFE_MS
    fill_recent(out, f.VIDEO_HOURS, counts.video, at, now, hours, own[:, [0, 2]])
    fill_totals(out, f.VIDEO_EVER, counts.video, at, same)
    rare = np.full((1, len(f.ACTING)), _RARE)
    fill_totals(out, f.AUTHOR_ACTS, counts.author, author, rare)
    fill_totals(out, f.VIDEO_ACTS, counts.video, at, _columns(out, f.AUTHOR_ACTS))
    watched = np.full((1, 1), _GUESSES[Signal.WATCHES])
    fill_recent(out, f.VIDEO_SHOWN, counts.video, at, now, days, watched)
    fill_recent(out, f.AUTHOR_DAYS, counts.author, author, now, days, overall)
    fill_recent(out, f.TOPIC_DAYS, counts.topic, topic, now, days, overall)
    mine = np.zeros((1, len(FEATURES)), np.float32)
    fill_recent(mine, f.VIEWER_DAYS, counts.viewer, viewer, now, days, overall)
    fill_totals(mine, f.VIEWER_EVER, counts.viewer, viewer, overall)
    lately = _columns(mine, f.VIEWER_DAYS)[:, [0, 2]]
    for rates in (f.VIEWER_DAYS, f.VIEWER_EVER):
        first = INDEX[f"{rates.name}_log"]
        behind = first + 1 + len(rates.signals)
        out[:, first:behind] = mine[0, first:behind]
    on_surface, video_there = counts.on_surface, counts.video_on_surface
    shown = on_surface.rows(request.viewer, request.surface)
    fill_recent(out, f.ON_SURFACE, on_surface.counters, shown, now, pair, lately)
    there = video_there.rows(at, request.surface)
    fill_recent(out, f.VIDEO_ON_SURFACE, video_there.counters, there, now, pair, own[:, [0, 2]])
    ever = _columns(mine, f.VIEWER_EVER)[:, [0, 2, 5]]
    by_author = counts.with_author.rows(request.viewer, author)
    by_topic = counts.with_topic.rows(request.viewer, topic)
    by_duration = counts.with_duration.rows(request.viewer, duration)
    with_author, with_topic = counts.with_author.counters, counts.with_topic.counters
    with_duration = counts.with_duration.counters
    fill_recent(out, f.WITH_AUTHOR, with_author, by_author, now, pair, lately)
    fill_recent(out, f.WITH_TOPIC, with_topic, by_topic, now, pair, lately)
    fill_recent(out, f.WITH_DURATION, with_duration, by_duration, now, pair, lately)
    fill_totals(out, f.EVER_WITH_AUTHOR, with_author, by_author, ever)
    fill_totals(out, f.EVER_WITH_TOPIC, with_topic, by_topic, ever)


def _overall(counts: Counts, now: int) -> Priors:
    """Return the rates of everything in the last days, (1, WATCHING)."""
    guesses = np.array([[_GUESSES[signal] for signal in f.WATCHING]])
    found = np.zeros((1, len(FEATURES)), np.float32)
    days = f.DAYS_HALF_LIFE_MS
    fill_recent(found, f.DURATION_DAYS, counts.everything, _EVERYTHING, now, days, guesses)
    return _columns(found, f.DURATION_DAYS)


def _differences(out: Matrix) -> None:
    first = INDEX["video_over_duration"]
    long = _column(out, "video_days_long_watches")
    same = _column(out, "duration_days_long_watches")
    viewer = _column(out, "viewer_days_long_watches")
    author = _column(out, "author_days_long_watches")
    topic = _column(out, "with_topic_long_watches")
    overall = _column(out, "topic_days_long_watches")
    out[:, first] = long - same
    out[:, first + 1] = _column(out, "video_days_watch_permille") - _column(
        out, "duration_days_watch_permille"
    )
    out[:, first + 2] = author - same
    out[:, first + 3] = viewer - overall
    out[:, first + 4] = _column(out, "with_duration_long_watches") - viewer
    out[:, first + 5] = _odds(long) + _odds(viewer) + _odds(topic) + _odds(author)


def _learnt(out: Matrix, known: Known, request: Request, effects: Effects) -> None:
    video, place = _expected(known, effects, request.candidates, request.surface)
    watched = _lately(known, request)
    viewer = np.zeros(SURFACES)
    if len(watched.video):
        surfaces = watched.surface.astype(np.int32)
        odds = np.add(*_expected(known, effects, watched.video, surfaces))
        viewer = effects.of_viewer(odds, (watched.flags & LONG) > 0, surfaces)
    theirs = viewer[request.surface]
    first = INDEX["effect_video"]
    out[:, first] = video
    out[:, first + 1] = place
    out[:, first + 2] = theirs
    out[:, first + 3] = video + place
    out[:, first + 4] = float(effects.start[0]) + video + place + theirs


def _expected(
    known: Known, effects: Effects, videos: Serials, surfaces: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each video adds to the odds, and what the surface it is on does."""
    of = known.videos
    alike = (of.author[videos], of.topic[videos], of.duration_bucket[videos])
    return effects.of_videos(videos, *alike), effects.of_places(videos, surfaces)


def _column(out: Matrix, name: str) -> NDArray[np.float32]:
    return out[:, INDEX[name]]


def _columns(out: Matrix, rates: f.Rates) -> Priors:
    first = INDEX[f"{rates.name}_log"] + 1
    return out[:, first : first + len(rates.signals)].astype(np.float64)


def _odds(share: NDArray[np.float32]) -> NDArray[np.float32]:
    kept = np.clip(share, 0.01, 0.99)
    return np.log(kept / (1 - kept))


def _log1p(counts: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.float64]:
    return np.log1p(np.maximum(counts, 0))


def _among(values: NDArray[np.int32], ordered: Serials) -> NDArray[np.bool_]:
    """Tell which values are in a sorted array."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[places] == values


@compiled
def _near(
    out: Matrix, column: int, codes: NDArray[np.int8], candidates: Serials, history: Serials
) -> None:
    """Fill in the cosine of each candidate with the sum of a history, from whole numbers."""
    total = np.zeros(codes.shape[1], np.int32)
    for video in history:
        for place in range(codes.shape[1]):
            total[place] += codes[video, place]
    length = 0.0
    for place in range(codes.shape[1]):
        length += float(total[place]) * float(total[place])
    if length == 0.0:
        return
    scale = 1.0 / (np.sqrt(length) * CODE_STEPS)
    for row in range(len(candidates)):
        product = np.int32(0)
        for place in range(codes.shape[1]):
            product += np.int32(codes[candidates[row], place]) * total[place]
        out[row, column] = product * scale


@compiled
def _nearest(
    out: Matrix, column: int, codes: NDArray[np.int8], candidates: Serials, history: Serials
) -> None:
    for row in range(len(candidates)):
        best = np.int32(0)
        for video in history:
            product = np.int32(0)
            for place in range(codes.shape[1]):
                product += np.int32(codes[candidates[row], place]) * np.int32(codes[video, place])
            best = max(best, product)
        out[row, column] = best / (CODE_STEPS * CODE_STEPS)
