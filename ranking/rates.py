"""Rates: how often what is done with a video, with its likes, and by the viewer with these."""

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking import features as f
from ranking.catalogue import DURATION_BUCKETS
from ranking.compiled import compiled
from ranking.counters import Rows, Window
from ranking.counts import PAIR_TOTALS, RECENT
from ranking.deeds import SURFACES_MAX
from ranking.features import INDEX
from ranking.request import Known, Matrix, Request
from ranking.signals import Signal
from ranking.smoothing import (
    LOGARITHMS,
    Plans,
    guesses,
    plan,
    put_recent,
    put_totals,
    together,
)

_GUESSES = guesses()
_EVERYTHING = np.zeros(1, np.int32)

_OF_PAIRS = (f.VIDEO_ON_SURFACE, f.ON_SURFACE, f.WITH_DURATION, f.WITH_AUTHOR, f.WITH_TOPIC)
_FROM_RINGS = (f.VIEWER_DAYS, f.VIDEO_DAYS, f.VIDEO_HOURS)


def _counted(rates: f.Rates) -> tuple[Signal, ...]:
    if rates in _FROM_RINGS:
        return RECENT
    return PAIR_TOTALS if rates in _OF_PAIRS else tuple(Signal)


_PLANS = together([plan(rates, _counted(rates)) for rates in f.RATES])
_VIEWER_EVER, _VIEWER_DAYS, _DURATION, _TOPIC, _AUTHOR, _AUTHOR_ACTS = range(6)
_VIDEO, _VIDEO_ACTS, _VIDEO_SHOWN, _VIDEO_DAYS, _VIDEO_HOURS = range(6, 11)
_VIDEO_ON_SURFACE, _ON_SURFACE, _WITH_DURATION, _WITH_AUTHOR, _WITH_TOPIC = range(11, 16)

# Whose rates lean on those of everything.
_BROAD = (_TOPIC, _AUTHOR, _VIEWER_EVER)
_COMPARED = np.array(
    [
        INDEX[name]
        for name in (
            "video_over_duration",
            "video_ever_long_watches",
            "duration_ever_long_watches",
            "video_ever_watch_permille",
            "duration_ever_watch_permille",
            "author_ever_long_watches",
            "viewer_ever_long_watches",
            "with_duration_long_watches",
            "video_days_long_watches",
            "video_on_surface_long_watches",
            "on_surface_long_watches",
            "with_topic_long_watches",
            "with_author_long_watches",
        )
    ]
)


def ground(known: Known) -> Matrix:
    """Return a row of the rates of everything, on which others lean."""
    row = _GUESSES.copy()
    everything = known.counts.everything.totals
    put_totals(row, _PLANS, _DURATION, everything, _EVERYTHING, _GUESSES, LOGARITHMS)
    width = len(f.WATCHING)
    first = _PLANS.first + 1
    overall = row[0, first[_DURATION] : first[_DURATION] + width]
    for broad in _BROAD:
        row[0, first[broad] : first[broad] + width] = overall
    return row


def fill_viewer(row: Matrix, known: Known, request: Request, below: Matrix) -> None:
    """Fill in the rates of the viewer alone, in one row."""
    counters, viewer = known.counts.viewer, np.array([request.viewer], np.int32)
    days = counters.window(request.as_of_ms, f.DAYS_HALF_LIFE_MS)
    put_totals(row, _PLANS, _VIEWER_EVER, counters.totals, viewer, below, LOGARITHMS)
    put_recent(row, _PLANS, _VIEWER_DAYS, (counters.recent, counters.epochs), viewer, days, row)


def fill_candidates(out: Matrix, known: Known, request: Request, below: Matrix) -> None:
    """Fill in the rates of each candidate and of the viewer with it; the viewer's own are there."""
    counts, videos, at = known.counts, known.videos, request.candidates
    viewer, author = request.viewer, request.author
    topic, duration = videos.topic[at], videos.duration_bucket[at]
    pairs = (
        (counts.video_on_surface, counts.video_on_surface.rows(at, request.surface)),
        (counts.on_surface, counts.on_surface.few(viewer, request.surface, SURFACES_MAX)),
        (counts.with_duration, counts.with_duration.few(viewer, duration, DURATION_BUCKETS)),
        (counts.with_author, counts.with_author.rows(viewer, author)),
        (counts.with_topic, counts.with_topic.few(viewer, topic, len(counts.topic))),
    )
    _fill(
        out,
        below,
        _PLANS,
        (duration, topic, author, at, *(rows for _, rows in pairs)),
        (counts.duration.totals, counts.topic.totals),
        (counts.author.totals, counts.video.totals, *(of.counters.totals for of, _ in pairs)),
        (counts.video.recent, counts.video.epochs),
        (
            counts.video.window(request.as_of_ms, f.DAYS_HALF_LIFE_MS),
            counts.video.window(request.as_of_ms, f.HOURS_HALF_LIFE_MS),
        ),
        LOGARITHMS,
    )
    _compare(out, _COMPARED, below[0, _PLANS.first[_DURATION] + 1])


@compiled
def _fill(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    out: Matrix,
    below: Matrix,
    planned: Plans,
    rows: tuple[Rows, ...],
    wide: tuple[NDArray[Any], NDArray[Any]],
    narrow: tuple[NDArray[Any], ...],
    ring: tuple[NDArray[Any], NDArray[np.int32]],
    windows: tuple[Window, Window],
    logs: NDArray[np.float64],
) -> None:
    """Fill in the rates, what is a prior before what leans on it."""
    author, video = rows[2], rows[3]
    put_totals(out, planned, _DURATION, wide[0], rows[0], below, logs)
    put_totals(out, planned, _TOPIC, wide[1], rows[1], below, logs)
    put_totals(out, planned, _AUTHOR, narrow[0], author, below, logs)
    put_totals(out, planned, _AUTHOR_ACTS, narrow[0], author, below, logs)
    put_totals(out, planned, _VIDEO, narrow[1], video, out, logs)
    put_totals(out, planned, _VIDEO_ACTS, narrow[1], video, out, logs)
    put_totals(out, planned, _VIDEO_SHOWN, narrow[1], video, below, logs)
    put_recent(out, planned, _VIDEO_DAYS, ring, video, windows[0], out)
    put_recent(out, planned, _VIDEO_HOURS, ring, video, windows[1], out)
    put_totals(out, planned, _VIDEO_ON_SURFACE, narrow[2], rows[4], out, logs)
    put_totals(out, planned, _ON_SURFACE, narrow[3], rows[5], out, logs)
    put_totals(out, planned, _WITH_DURATION, narrow[4], rows[6], out, logs)
    put_totals(out, planned, _WITH_AUTHOR, narrow[5], rows[7], out, logs)
    put_totals(out, planned, _WITH_TOPIC, narrow[6], rows[8], out, logs)


@compiled
def _odds(share: float) -> float:
    kept = min(max(share, 0.01), 0.99)
    return log(kept / (1.0 - kept))


@compiled
def _compare(out: Matrix, columns: NDArray[np.int64], overall: float) -> None:
    first = columns[0]
    for row in range(len(out)):
        told = out[row]
        video, duration = told[columns[1]], told[columns[2]]
        author, viewer = told[columns[5]], told[columns[6]]
        out[row, first] = video - duration
        out[row, first + 1] = told[columns[3]] - told[columns[4]]
        out[row, first + 2] = author - duration
        out[row, first + 3] = viewer - overall
        out[row, first + 4] = told[columns[7]] - viewer
        out[row, first + 5] = told[columns[8]] - video
        both = _odds(told[columns[11]]) + _odds(told[columns[12]]) - 2.0 * _odds(viewer)
        here = _odds(told[columns[9]]) + _odds(told[columns[10]]) - _odds(overall)
        out[row, first + 6] = here + both
