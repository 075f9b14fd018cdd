"""Both logs as stretches that a state is folded from, in the one order that may be repeated.

Domain before views: who follows reads first how far the views go, then folds the domain log to its
head, then the views to where they went. So a view never speaks of a video that the state does not
know, and a state folded anew to the same two positions is the same.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import structlog

from myriorama.store.event_source import EventSource
from myriorama.store.view_columns import ViewColumnSource
from projections.projection import Recorded, Window
from ranking.views import ViewColumns

logger = structlog.get_logger(__name__)

WINDOW = 5_000
"""Positions of a stretch at most: so long is the state held at a time."""


class Positions(NamedTuple):
    """How far a state is folded: up to these positions of the two logs, included."""

    domain: int
    views: int


class Foldable(Protocol):
    """What is folded from both logs: the state of the ranking."""

    @property
    def version(self) -> tuple[int, int]: ...

    def fold_domain(self, events: Sequence[Recorded[Any]], *, upto: int | None) -> None: ...

    def fold_views(self, columns: ViewColumns, *, upto: int | None) -> None: ...


Fold = Callable[[Foldable], None]


class NewerEvents(Exception):
    """A newer release has recorded what this one cannot read: nothing is folded beyond it."""


class StateStretches:
    """Reads both logs for states. Safe to share between threads."""

    def __init__(self, domain: EventSource, views: ViewColumnSource, topics: Sequence[str]) -> None:
        """Take the logs, and the topics of the domain log that matter."""
        self._domain = domain
        self._views = views
        self._topics = topics

    def heads(self) -> Positions:
        """Return how far a state may be folded now."""
        views = self._views.head()
        return Positions(self._domain.head(), views)

    def between(self, after: Positions, upto: Positions, *, window: int = WINDOW) -> Iterator[Fold]:
        """Yield what brings a state from one version to another, a stretch at a time.

        Each is read when it is asked for, and folded by whoever asks.

        Raises:
            NewerEvents: there is something that this release cannot read.
        """
        at = after.domain
        while at < upto.domain:
            found = self._domain.read(at, min(window, upto.domain - at), self._topics)
            _require_readable(found)
            at = found.upto
            yield partial(_fold_domain, found.events, at)
        at = after.views
        while at < upto.views:
            columns, at = self._views.read(at, min(at + window, upto.views))
            yield partial(_fold_views, columns, at)


def _fold_domain(events: Sequence[Recorded[Any]], upto: int, state: Foldable) -> None:
    state.fold_domain(events, upto=upto)


def _fold_views(columns: ViewColumns, upto: int, state: Foldable) -> None:
    state.fold_views(columns, upto=upto)


def _require_readable(window: Window) -> None:
    for unreadable in window.unreadable:
        if unreadable.newer:
            raise NewerEvents(f"{unreadable.topic} at {unreadable.position}: {unreadable.error}")
        logger.error("an event is left out of the ranking", position=unreadable.position)
