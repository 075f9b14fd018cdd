"""What every projection is made of: a log to follow, tables of its own, and one fold."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from psycopg import Cursor
from psycopg.rows import TupleRow

E = TypeVar("E")


@dataclass(frozen=True)
class Recorded(Generic[E]):
    """An event where it stands in its log."""

    position: int
    recorded_at: datetime
    event: E


class Window(NamedTuple):
    """A stretch of a log: the events in it that matter, and the position up to which it reaches."""

    events: Sequence[Recorded[Any]]
    upto: int


class Projection(ABC, Generic[E]):
    """Folds the events of one log into tables that nobody else writes.

    The tables are made by a migration. Folding the same log gives the same rows: a fold takes
    time and identity from the events alone. It may be called with any cut of the log into
    windows; a window is folded in the transaction that moves the position.
    """

    name: ClassVar[str]
    log: ClassVar[Literal["domain", "views"]] = "domain"
    tables: ClassVar[tuple[str, ...]]
    topics: ClassVar[tuple[str, ...]]

    @abstractmethod
    def fold(self, events: Sequence[Recorded[E]], cursor: Cursor[TupleRow]) -> None:
        """Apply the events, in order, through the cursor."""
