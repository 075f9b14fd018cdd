"""What is watched by the same people: walks of two steps between videos and their viewers.

Kept for each video: who watched it last, and for each viewer: what they watched last. What was
co-watched with a video is read by going to its viewers and on to what else they watched, so there
is no table of pairs to keep, a watch costs two writes, and one person counts once with a video
however often they come back. Newest first out: what is known of a video follows its present crowd.
"""

from hashlib import blake2b
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

Serials = NDArray[np.int32]
Floats = NDArray[np.float32]
Counts = NDArray[np.int64]

VIEWERS_KEPT = 64
VIDEOS_KEPT = 32
LATELY_KEPT = 8192
_ROOM = 1024
_NONE = -1

T = TypeVar("T", np.int32, np.int64, np.float64)


class Coviews:
    """Long watches as a graph of videos and viewers, each with its last neighbours.

    `popularity` is the power of its crowd by which a video counts less: what everybody watches
    says little about anybody.
    """

    def __init__(self, *, popularity: float = 0.4) -> None:
        self._popularity = popularity
        self._viewers = np.full((_ROOM, VIEWERS_KEPT), _NONE, np.int32)
        self._videos = np.full((_ROOM, VIDEOS_KEPT), _NONE, np.int32)
        self._crowds = np.zeros(_ROOM, np.int64)
        self._watched = np.zeros(_ROOM, np.int64)
        self._last = np.full(LATELY_KEPT, _NONE, np.int32)
        self._lately = np.zeros(_ROOM, np.int32)
        self._learnt = np.zeros(1, np.int64)
        # What a walk adds up; all 0 between two walks.
        self._scores = np.zeros(_ROOM)

    @property
    def lately(self) -> NDArray[np.int32]:
        """How many of the last `LATELY_KEPT` long watches were of each video, by serial.

        A viewer's watches of one video in a row count once.
        """
        return self._lately

    def learn(self, viewers: Serials, videos: Serials) -> None:
        """Fold long watches in, in the order of the log; the same in whatever portions."""
        if not len(viewers):
            return
        self._make_room(int(viewers.max()) + 1, int(videos.max()) + 1)
        _learn(
            (self._viewers, self._crowds),
            (self._videos, self._watched),
            (self._last, self._lately, self._learnt),
            viewers,
            videos,
        )

    def similarity(self, history: Serials, weights: Floats, candidates: Serials) -> Floats:
        """Return how much candidates are watched by who watched what a viewer did.

        Args:
            history: what the viewer watched.
            weights: of each of it.
            candidates: may be unknown here, and are worth 0 then.
        """
        reached = _walk(self._viewers, self._videos, history, weights, self._scores)
        found = np.zeros(len(candidates), np.float32)
        known = candidates < len(self._scores)
        found[known] = self._lessened(candidates[known])
        self._scores[reached] = 0.0
        return found

    def reached(self, history: Serials, weights: Floats) -> tuple[Serials, Floats]:
        """Return every video of which `similarity` is above 0, by serial, and what it is."""
        reached = np.sort(_walk(self._viewers, self._videos, history, weights, self._scores))
        found = self._lessened(reached)
        self._scores[reached] = 0.0
        return reached, found

    def digest(self) -> str:
        """Return a hash of all that was learnt, which does not depend on the room kept for it."""
        known = blake2b(digest_size=16)
        videos = int(self._crowds.nonzero()[0].max(initial=-1)) + 1
        viewers = int(self._watched.nonzero()[0].max(initial=-1)) + 1
        for column in (self._viewers[:videos], self._crowds[:videos]):
            known.update(column.tobytes())
        for column in (self._videos[:viewers], self._watched[:viewers]):
            known.update(column.tobytes())
        for column in (self._last, self._learnt):
            known.update(column.tobytes())
        return known.hexdigest()

    def _lessened(self, serials: Serials) -> Floats:
        """Return the scores of videos, by what their crowd says less of anybody."""
        crowds = np.maximum(self._crowds[serials], 1)
        return (self._scores[serials] / crowds**self._popularity).astype(np.float32)

    def _make_room(self, viewers: int, videos: int) -> None:
        self._viewers = _grown(self._viewers, videos, _NONE)
        self._crowds = _grown(self._crowds, videos, 0)
        self._lately = _grown(self._lately, videos, 0)
        self._scores = _grown(self._scores, videos, 0)
        self._videos = _grown(self._videos, viewers, _NONE)
        self._watched = _grown(self._watched, viewers, 0)


def _grown(column: NDArray[T], count: int, filler: int) -> NDArray[T]:
    if count <= len(column):
        return column
    grown = np.full((1 << (count - 1).bit_length(), *column.shape[1:]), filler, column.dtype)
    grown[: len(column)] = column
    return grown


@compiled
def _learn(
    of_videos: tuple[Serials, Counts],
    of_viewers: tuple[Serials, Counts],
    of_late: tuple[Serials, Serials, Counts],
    viewers: Serials,
    videos: Serials,
) -> None:
    viewers_of, crowds = of_videos
    videos_of, watched = of_viewers
    last, lately, learnt = of_late
    for row in range(len(viewers)):
        viewer, video = viewers[row], videos[row]
        if viewer < 0 or video < 0:
            continue
        is_known = False
        for place in range(videos_of.shape[1]):
            if videos_of[viewer, place] == video:
                is_known = True
                break
        if is_known:
            continue
        videos_of[viewer, watched[viewer] % videos_of.shape[1]] = video
        watched[viewer] += 1
        viewers_of[video, crowds[video] % viewers_of.shape[1]] = viewer
        crowds[video] += 1
        place = learnt[0] % len(last)
        if last[place] >= 0:
            lately[last[place]] -= 1
        last[place] = video
        lately[video] += 1
        learnt[0] += 1


@compiled
def _walk(
    viewers_of: Serials,
    videos_of: Serials,
    history: Serials,
    weights: Floats,
    scores: NDArray[np.float64],
) -> Serials:
    """Add to the scores of what is reached, and return it, each video once, as it was reached."""
    reached, count = np.empty(len(scores), np.int32), 0
    for step in range(len(history)):
        video = history[step]
        if video < 0 or video >= len(viewers_of):
            continue
        crowd = 0
        for place in range(viewers_of.shape[1]):
            crowd += viewers_of[video, place] >= 0
        if crowd == 0:
            continue
        share = weights[step] / crowd
        for place in range(viewers_of.shape[1]):
            viewer = viewers_of[video, place]
            if viewer < 0:
                continue
            for other in range(videos_of.shape[1]):
                watched = videos_of[viewer, other]
                if watched < 0 or watched == video:
                    continue
                if scores[watched] == 0.0:
                    reached[count] = watched
                    count += 1
                scores[watched] += share
    return reached[:count].copy()
