"""A request for features: whose candidates, when and where, and all that is known then."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ranking.cameos import Cameos
from ranking.catalogue import Videos
from ranking.chains import Serials
from ranking.counts import Counts
from ranking.effects import Effects
from ranking.histories import Histories, Watched
from ranking.people import People

Matrix = NDArray[np.float32]


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

    `surface` and `author` are of each candidate; an author -1 is nobody known.
    """

    viewer: int
    candidates: Serials
    as_of_ms: int
    surface: NDArray[np.int32]
    author: Serials
    watched: Watched


def lately(known: Known, viewer: int) -> Watched:
    """Return what a viewer watched since they last asked to have it forgotten."""
    watched = known.histories.watched(viewer)
    if viewer < 0 or not known.people.forgotten_ms[viewer]:
        return watched
    return watched.where(watched.at_ms > known.people.forgotten_ms[viewer])
