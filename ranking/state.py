"""The state of the ranking: all that a page depends on, folded from both logs by one code.

Live feeds, replays, imports and training sets all come through here. Its version is how far into
each log it reaches. The domain log is folded before the views that came after it, so that a view
finds the video it is of; beyond that any cut and any interleaving gives the same, to the bit.

`State` writes; sources, filters and features read. It has no locks: folds and reads take turns.
"""

from collections.abc import Callable, Hashable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from projections.projection import Recorded
from ranking.active import Active
from ranking.cameos import Cameos
from ranking.catalogue import Videos
from ranking.chains import Serials
from ranking.counts import Counts
from ranking.coview import Coviews
from ranking.deeds import NOBODY, Deeds
from ranking.domain_fold import TOPICS, DomainFold
from ranking.effects import Effects
from ranking.histories import Histories
from ranking.people import People
from ranking.reading import read
from ranking.request import Affinities, Known, Request, Table, lately
from ranking.showings import Showings
from ranking.views import ViewColumns

__all__ = ["TOPICS", "State"]

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Topics = Callable[[NDArray[np.float32]], NDArray[np.int32]]

T = TypeVar("T")


class _Live(NamedTuple):
    """What goes with what as it is known without a model."""

    long: Table | None
    shown: Table | None = None
    effects: Effects = Effects.empty()


class State:
    """Everything known when a page is ranked.

    `embed` says what texts mean, (texts, 128) of length one or zero; `topics` which of
    `topic_count` topics each of these is about, 0 if none.
    """

    TOPICS = TOPICS

    def __init__(self, embed: Embed, topics: Topics, *, topic_count: int = 257) -> None:
        self.embed = embed
        self.topics = topics
        self.videos = Videos()
        self.people = People()
        self.cameos = Cameos()
        self.counts = Counts()
        self.histories = Histories()
        self.coviews = Coviews()
        self.active = Active()
        self._showings = Showings()
        self._found: dict[str, tuple[Hashable, Any]] = {}
        self._topic_count = topic_count
        self._domain = DomainFold(
            self.videos, self.people, self.cameos, self.active, embed, self._known_topics
        )
        self._domain_position = 0
        self._view_position = 0

    @property
    def version(self) -> tuple[int, int]:
        """How far into the domain log and the view log the state reaches."""
        return self._domain_position, self._view_position

    def fold_domain(self, events: Sequence[Recorded[Any]], *, upto: int | None = None) -> None:
        """Apply events of the domain log in their order; others than `TOPICS` change nothing.

        `upto` is how far the log was read; what lies before the version has been applied already.
        """
        new = [recorded for recorded in events if recorded.position > self._domain_position]
        if new:
            self._found = {}
            self.fold(self._domain.deeds(new))
        last = new[-1].position if new else 0
        self._domain_position = max(self._domain_position, last, upto or 0)

    def fold_views(self, columns: ViewColumns, *, upto: int | None = None) -> None:
        """Apply a stretch of the view log, all of it behind the version."""
        deeds = self._showings.deeds(
            columns, self.people.serials_of_packed, self.videos.serials_of_packed
        )
        self.fold(deeds)
        positions = (columns.viewings.position, columns.slates.position)
        last = max((int(column[-1]) for column in positions if len(column)), default=0)
        self._view_position = max(self._view_position, last, upto or 0)

    def fold(self, deeds: Deeds) -> None:
        """Apply deeds in their order.

        Raises:
            IndexError: one is by, about or of what has no serial here.
        """
        self._reach()
        if not len(deeds):
            return
        self._found = {}
        _check(deeds.viewer, NOBODY, len(self.people))
        _check(deeds.author, NOBODY, len(self.people))
        _check(deeds.video, NOBODY, len(self.videos))
        durations_ms = self.videos.duration_ms
        known = (
            np.where(deeds.video >= 0, durations_ms[deeds.video], 0).astype(np.int32)
            if len(durations_ms)
            else np.zeros(len(deeds), np.int32)
        )
        self.counts.add(deeds, self.videos)
        long = self.histories.add(deeds, known)
        self.coviews.learn(deeds.viewer[long], deeds.video[long])

    def once(self, name: str, of: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` finds in the state as it is; it is asked once until that changes.

        For what is the same for many viewers. Of each name the last that was asked for is kept.
        """
        kept = self._found.get(name)
        if kept is None or kept[0] != of:
            kept = of, find()
            self._found[name] = kept
        found: T = kept[1]
        return found

    def read(
        self,
        viewer: int,
        candidates: Serials,
        as_of_ms: int,
        surface: int | NDArray[np.int8] = 1,
        coview: Affinities | None = None,
    ) -> NDArray[np.float32]:
        """Return the features of each candidate, (candidates, FEATURES).

        A viewer -1 is nobody that anything is known of; `surface` is one for all, or of each.

        Raises:
            IndexError: a candidate is no video of the state.
        """
        known = Known(self.videos, self.people, self.cameos, self.counts, self.histories)
        serials = np.ascontiguousarray(candidates, np.int32)
        _check(serials, 0, len(self.videos))
        surfaces = np.full(len(serials), surface, np.int32)
        author = self.videos.author[serials]
        watched = lately(known, viewer)
        request = Request(viewer, serials, as_of_ms, surfaces, author, watched)
        return read(known, request, coview or _Live(self.coviews))

    def digest(self) -> str:
        """Return a hash of everything that is held: equal states have equal ones."""
        total = sha256(b"%d %d" % self.version)
        for held in (self.videos, self.people, self.cameos, self.counts, self.histories):
            for part in held.parts():
                total.update(b"%d " % len(part))
                total.update(part)
        for part in self._showings.parts():
            total.update(part)
        total.update(self.coviews.digest().encode())
        return total.hexdigest()

    def _reach(self) -> None:
        self.counts.reach(len(self.people), len(self.videos), self._topic_count)
        self.histories.reach(len(self.people))

    def _known_topics(self, vectors: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return what texts are about, 0 for a topic beyond those that are counted."""
        found = self.topics(vectors)
        return np.where(found < self._topic_count, found, 0).astype(np.int32)


def _check(serials: Serials, least: int, count: int) -> None:
    # Compiled loops do not look where they write.
    if len(serials) and not (least <= serials.min() and serials.max() < count):
        raise IndexError(f"serials reach from {serials.min()} to {serials.max()}, not to {count}")
