"""Effects: by how much a video, author, topic, length or surface moves the odds of a long watch.

A bare rate says as much of who was shown a video, and where, as of the video. Here all causes are
fitted together, each leaning on 0 as far as little is known of it. Training compiles them into the
model's file; the viewer's own effect is found at the read, from what they watched until then.
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled

Serials = NDArray[np.int32]
Floats = NDArray[np.float32]

SURFACES = 16
VIEWER_RIDGE = 2.0
SURFACE_RIDGE = 10.0
"""By what the viewer's effect, and theirs on a surface, lean on 0: as so many watches would."""

_NEWTON_STEPS = 4


class Effects(NamedTuple):
    """Log odds, added up. The tables by number hold 0 for what training did not see.

    `videos` are the serials that are known, ascending, and `video` the whole of what is known of
    each (author, topic and length are in it already); for the others `author`, `topic` and
    `duration` speak. `places` are `video serial * SURFACES + surface`, ascending.
    """

    start: Floats
    surface: Floats
    videos: Serials
    video: Floats
    places: NDArray[np.int64]
    place: Floats
    author: Floats
    topic: Floats
    duration: Floats

    @classmethod
    def empty(cls) -> Self:
        """Return effects that know nothing: the odds of a long watch are even."""
        none = np.zeros(0, np.float32)
        return cls(
            start=np.zeros(1, np.float32),
            surface=np.zeros(SURFACES, np.float32),
            videos=np.zeros(0, np.int32),
            video=none,
            places=np.zeros(0, np.int64),
            place=none,
            author=none,
            topic=none,
            duration=none,
        )

    def of_videos(
        self, serials: Serials, authors: Serials, topics: Serials, durations: Serials
    ) -> NDArray[np.float64]:
        """Return the effect of each video, or of what it is like if it is not known itself."""
        alike = _at(self.author, authors) + _at(self.topic, topics) + _at(self.duration, durations)
        return _known(self.videos, self.video, serials, alike)

    def of_places(self, serials: Serials, surfaces: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return what surface each video is on adds: of the surface, and of the video there."""
        keys = serials.astype(np.int64) * SURFACES + surfaces
        there = _known(self.places, self.place, keys, np.zeros(len(serials)))
        return _at(self.surface, surfaces) + there

    def of_viewer(
        self,
        expected: NDArray[np.float64],
        is_long: NDArray[np.bool_],
        surfaces: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        """Return what a viewer adds on each surface, from what they watched.

        Args:
            expected: the log odds of each of their watches, but for the viewer's effect.
            is_long: how the watches turned out.
            surfaces: where they were.
        """
        return _viewer(expected + float(self.start[0]), is_long, surfaces)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what makes the effects up, by name, as a model's file keeps it."""
        return {f"effects.{name}": array for name, array in self._asdict().items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Return the effects of `arrays()`.

        Raises:
            ValueError: a part is missing, of another type, or the parts do not fit together.
        """
        found: dict[str, NDArray[np.generic]] = {}
        for name, like in cls.empty()._asdict().items():
            array = arrays.get(f"effects.{name}")
            if array is None or array.dtype != like.dtype or array.ndim != 1:
                raise ValueError(f"The effects have no {name} as it must be.")
            found[name] = array
        effects = cls(**found)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # checked above
        fits = (
            len(effects.start) == 1
            and len(effects.surface) == SURFACES
            and len(effects.videos) == len(effects.video)
            and len(effects.places) == len(effects.place)
            and bool((np.diff(effects.videos) > 0).all())
            and bool((np.diff(effects.places) > 0).all())
            and all(np.isfinite(array).all() for array in effects)
        )
        if not fits:
            raise ValueError("The parts of the effects do not fit together.")
        return effects


def _at(table: Floats, numbers: Serials) -> NDArray[np.float64]:
    found = np.zeros(len(numbers))
    inside = (numbers >= 0) & (numbers < len(table))
    found[inside] = table[numbers[inside]]
    return found


def _known(
    keys: NDArray[np.int32] | NDArray[np.int64],
    values: Floats,
    wanted: NDArray[np.int32] | NDArray[np.int64],
    otherwise: NDArray[np.float64],
) -> NDArray[np.float64]:
    if not len(keys):
        return otherwise
    rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[rows] == wanted, values[rows], otherwise)


@compiled
def _viewer(
    odds: NDArray[np.float64], is_long: NDArray[np.bool_], surfaces: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the viewer's most likely effect, overall and then on each surface."""
    overall = 0.0
    for _ in range(_NEWTON_STEPS):
        slope, bend = -VIEWER_RIDGE * overall, VIEWER_RIDGE
        for watch in range(len(odds)):
            likely = 1.0 / (1.0 + np.exp(-(odds[watch] + overall)))
            slope += is_long[watch] - likely
            bend += likely * (1.0 - likely)
        overall += slope / bend
    found = np.full(SURFACES, overall)
    slopes = np.zeros(SURFACES)
    bends = np.full(SURFACES, SURFACE_RIDGE)
    for watch in range(len(odds)):
        likely = 1.0 / (1.0 + np.exp(-(odds[watch] + overall)))
        slopes[surfaces[watch]] += is_long[watch] - likely
        bends[surfaces[watch]] += likely * (1.0 - likely)
    for surface in range(SURFACES):
        found[surface] += slopes[surface] / bends[surface]
    return found
