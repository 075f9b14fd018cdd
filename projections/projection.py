"""What every projection is made of: a log to follow, tables of its own, and one fold."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from psycopg import Cursor
from psycopg.rows import TupleRow

E = TypeVar("E")


class Recorded(NamedTuple, Generic[E]):
    """An event where it stands in its log."""

    position: int
    recorded_at: datetime
    event: E


class Unreadable(NamedTuple):
    """An event that cannot be decoded; `newer`: by this release, as a newer one stored it."""

    position: int
    topic: str
    error: str
    newer: bool


class Window(NamedTuple):
    """A stretch of a log: the events in it that matter, and the position up to which it reaches."""

    events: Sequence[Recorded[Any]]
    upto: int
    unreadable: Sequence[Unreadable] = ()


class Followed(ABC):
    """What is folded out of one log into tables that nobody else writes.

    The tables are made by a migration, and named without their schema: they are filled elsewhere
    when they are folded anew. Folding the same log gives the same rows: a fold takes time and
    identity from the events alone. It may be called with any cut of the log into windows; a window
    is folded in the transaction that moves the position.
    """

    name: ClassVar[str]
    log: ClassVar[Literal["domain", "views"]] = "domain"
    tables: ClassVar[tuple[str, ...]]
    topics: ClassVar[tuple[str, ...]]


class Projection(Followed, Generic[E]):
    """Folds the events of a log one by one, as Python sees them."""

    @abstractmethod
    def fold(self, events: Sequence[Recorded[E]], cursor: Cursor[TupleRow]) -> None:
        """Apply the events, in order, through the cursor."""


class SetProjection(Followed):
    """Folds whole stretches of a log at once, in SQL over the log's own tables."""

    @abstractmethod
    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        """Apply the events at the positions (after, upto] of the log."""


AnyProjection = Projection[Any] | SetProjection
