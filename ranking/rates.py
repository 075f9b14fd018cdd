"""Rates: how often what is done with a video, with its likes, and by the viewer with these."""

from math import log

import numpy as np
from numpy.typing import NDArray

from ranking import features as f
from ranking.catalogue import DURATION_BUCKETS
from ranking.compiled import compiled
from ranking.counts import PAIR_TOTALS, RECENT
from ranking.deeds import SURFACES_MAX
from ranking.features import INDEX
from ranking.request import Known, Matrix, Request
from ranking.signals import Signal
from ranking.smoothing import fill_recent, fill_totals, guesses, plan

_GUESSES = guesses()
_EVERYTHING = np.zeros(1, np.int32)

_VIEWER_EVER = plan(f.VIEWER_EVER, tuple(Signal))
_VIEWER_DAYS = plan(f.VIEWER_DAYS, RECENT)
_DURATION = plan(f.DURATION_EVER, tuple(Signal))
_TOPIC = plan(f.TOPIC_EVER, tuple(Signal))
_AUTHOR = plan(f.AUTHOR_EVER, tuple(Signal))
_AUTHOR_ACTS = plan(f.AUTHOR_ACTS, tuple(Signal))
_VIDEO = plan(f.VIDEO_EVER, tuple(Signal))
_VIDEO_ACTS = plan(f.VIDEO_ACTS, tuple(Signal))
_VIDEO_SHOWN = plan(f.VIDEO_SHOWN, tuple(Signal))
_VIDEO_DAYS = plan(f.VIDEO_DAYS, RECENT)
_VIDEO_HOURS = plan(f.VIDEO_HOURS, RECENT)
_VIDEO_ON_SURFACE = plan(f.VIDEO_ON_SURFACE, PAIR_TOTALS)
_ON_SURFACE = plan(f.ON_SURFACE, PAIR_TOTALS)
_WITH_DURATION = plan(f.WITH_DURATION, PAIR_TOTALS)
_WITH_AUTHOR = plan(f.WITH_AUTHOR, PAIR_TOTALS)
_WITH_TOPIC = plan(f.WITH_TOPIC, PAIR_TOTALS)

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
    fill_totals(row, _DURATION, known.counts.everything, _EVERYTHING, _GUESSES)
    width = len(f.WATCHING)
    overall = row[0, _DURATION.first + 1 : _DURATION.first + 1 + width]
    for broad in _BROAD:
        row[0, broad.first + 1 : broad.first + 1 + width] = overall
    return row


def fill_viewer(row: Matrix, known: Known, request: Request, below: Matrix) -> None:
    """Fill in the rates of the viewer alone, in one row."""
    viewer = np.array([request.viewer], np.int32)
    days = known.counts.viewer.window(request.as_of_ms, f.DAYS_HALF_LIFE_MS)
    fill_totals(row, _VIEWER_EVER, known.counts.viewer, viewer, below)
    fill_recent(row, _VIEWER_DAYS, known.counts.viewer, viewer, days, row)


def fill_candidates(out: Matrix, known: Known, request: Request, below: Matrix) -> None:
    """Fill in the rates of each candidate and of the viewer with it; the viewer's own are there."""
    counts, videos, at = known.counts, known.videos, request.candidates
    topic, duration = videos.topic[at], videos.duration_bucket[at]
    days = counts.video.window(request.as_of_ms, f.DAYS_HALF_LIFE_MS)
    hours = counts.video.window(request.as_of_ms, f.HOURS_HALF_LIFE_MS)
    fill_totals(out, _DURATION, counts.duration, duration, below)
    fill_totals(out, _TOPIC, counts.topic, topic, below)
    fill_totals(out, _AUTHOR, counts.author, request.author, below)
    fill_totals(out, _AUTHOR_ACTS, counts.author, request.author, below)
    fill_totals(out, _VIDEO, counts.video, at, out)
    fill_totals(out, _VIDEO_ACTS, counts.video, at, out)
    fill_totals(out, _VIDEO_SHOWN, counts.video, at, below)
    fill_recent(out, _VIDEO_DAYS, counts.video, at, days, out)
    fill_recent(out, _VIDEO_HOURS, counts.video, at, hours, out)
    there = counts.video_on_surface.rows(at, request.surface)
    fill_totals(out, _VIDEO_ON_SURFACE, counts.video_on_surface.counters, there, out)
    viewer = request.viewer
    shown = counts.on_surface.few(viewer, request.surface, SURFACES_MAX)
    fill_totals(out, _ON_SURFACE, counts.on_surface.counters, shown, out)
    as_long = counts.with_duration.few(viewer, duration, DURATION_BUCKETS)
    fill_totals(out, _WITH_DURATION, counts.with_duration.counters, as_long, out)
    by_author = counts.with_author.rows(viewer, request.author)
    fill_totals(out, _WITH_AUTHOR, counts.with_author.counters, by_author, out)
    by_topic = counts.with_topic.few(viewer, topic, len(counts.topic))
    fill_totals(out, _WITH_TOPIC, counts.with_topic.counters, by_topic, out)
    _compare(out, _COMPARED, below[0, _DURATION.first + 1])


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
