"""Likeness: how near candidates are to what the viewer watched, by meaning and by co-viewing.

Meanings are compared as whole numbers, so that the sums are exact whichever way they are added.
"""

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import CODE_STEPS
from ranking.chains import Serials
from ranking.compiled import compiled
from ranking.effects import SURFACES, Effects
from ranking.features import INDEX
from ranking.histories import LONG, SKIP
from ranking.request import Affinities, Known, Matrix, Request

_POSITIVES = 20
_NEAREST = 8
_STEPS_HALVED = 20.0


def fill_likeness(out: Matrix, known: Known, request: Request, affinities: Affinities) -> None:
    """Fill in the cosines to what was liked and skipped, and the scores of co-viewing."""
    if request.viewer < 0:
        return
    watched, first = request.watched, INDEX["near_positives"]
    favoured = known.histories.favoured(request.viewer)
    recent = favoured.at_ms > known.people.forgotten_ms[request.viewer]
    long = watched.video[(watched.flags & LONG) > 0]
    skipped = watched.video[(watched.flags & SKIP) > 0][-_POSITIVES:]
    positives = np.concatenate([favoured.video[recent][-_POSITIVES:], long[-_POSITIVES:]])
    codes = known.videos.codes
    _compare(out, first, codes, request.candidates, positives, skipped, positives[-_NEAREST:])
    tables = (affinities.long, affinities.shown)
    for column, table, history in zip((3, 4), tables, (long, watched.video), strict=True):
        if table is not None and len(history):
            steps_back = np.arange(len(history) - 1, -1, -1)
            weights = np.exp2(-steps_back / _STEPS_HALVED).astype(np.float32)
            out[:, first + column] = table.similarity(history, weights, request.candidates)


def fill_learnt(out: Matrix, known: Known, request: Request, effects: Effects) -> None:
    """Fill in by how much a model's effects move the odds of a long watch."""
    video, place = _expected(known, effects, request.candidates, request.surface)
    watched = request.watched
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


@compiled
def _compare(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    out: Matrix,
    first: int,
    codes: NDArray[np.int8],
    candidates: Serials,
    positives: Serials,
    negatives: Serials,
    nearest: Serials,
) -> None:
    liked, scale = _sum(codes, positives)
    skipped, scale_skipped = _sum(codes, negatives)
    near = codes[nearest].astype(np.int16)
    for row in range(len(candidates)):
        code = codes[candidates[row]]
        out[row, first] = _product(code, liked) * scale
        out[row, first + 1] = _product(code, skipped) * scale_skipped
        best = np.int32(0)
        for other in range(len(near)):
            best = max(best, _product(code, near[other]))
        out[row, first + 2] = best / (CODE_STEPS * CODE_STEPS)


@compiled
def _sum(codes: NDArray[np.int8], history: Serials) -> tuple[NDArray[np.int16], float]:
    """Return the sum of some codes, and by what a product with it becomes a cosine.

    Of so few a sum takes 16 bits, of which the machine multiplies many at once.
    """
    total = np.zeros(codes.shape[1], np.int16)
    for video in history:
        for place in range(len(total)):
            total[place] += codes[video, place]
    length = np.int64(0)
    for place in range(len(total)):
        length += np.int64(total[place]) * np.int64(total[place])
    if length == 0:
        return total, 0.0
    return total, 1.0 / (np.sqrt(float(length)) * CODE_STEPS)


@compiled
def _product(code: NDArray[np.int8], total: NDArray[np.int16]) -> np.int32:
    product = np.int32(0)
    for place in range(len(code)):
        product += np.int32(code[place]) * np.int32(total[place])
    return product
