"""Rebuilding a projection while it is read: folded anew, compared, and put in its place.

The projector goes on with the live tables all the time. Whenever a rebuild is killed the live ones
are as they should be, and it can be run again.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow

from myriorama.replay.checksums import Checksum, checksum
from myriorama.replay.folding import Source
from myriorama.replay.standby import NotRebuilt, Progress, Standby
from myriorama.replay.swap import Swapped, swap
from myriorama.store.postgres import AdvisoryLock
from projections.projection import AnyProjection

_TELL_EVERY_S = 1.0
_CLOSE = 1000

# The server may take a moment to notice that the one who held the lock was killed.
_PATIENCE = "SET lock_timeout = '3s'"
_LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, %s))"

# What a crash of PostgreSQL takes back is position and rows alike, and is folded again.
_SETTINGS = "RESET lock_timeout; SET synchronous_commit = off"

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_LIVE = "SELECT position FROM public.projection_positions WHERE name = %s"


class AlreadyRebuilding(NotRebuilt):
    """Another rebuild or rollback of the same projection is under way."""


class NothingRetired(NotRebuilt):
    """There are no tables to go back to."""


class Different(NotRebuilt):
    """The rebuilt tables are not as the live ones, which nobody has said they should not be.

    They are kept, and gone on with next time.
    """


class Begun(NamedTuple):
    """Whether a fold starts, goes on or starts over."""

    projection: str
    how: str

    def __str__(self) -> str:
        return f"{self.projection}: {self.how}"


class Compared(NamedTuple):
    """One table at one position: as it is live, and as it was folded."""

    table: str
    position: int
    live: Checksum
    folded: Checksum

    @property
    def equal(self) -> bool:
        return self.live == self.folded

    def __str__(self) -> str:
        if self.equal:
            return f"{self.table} at {self.position}: {self.live}, equal"
        return f"{self.table} at {self.position}: live {self.live}, folded {self.folded}, DIFFERENT"


Step = Begun | Progress | Compared | Swapped


def rebuild(
    url: str, source: Source, projection: AnyProjection, *, accept_difference: bool = False
) -> Iterator[Step]:
    """Fold a projection from the start of its log, and put the tables in place if they are equal.

    Args:
        url: PostgreSQL.
        source: the log of the projection.
        projection: which; its tables keep their names, and what was live is kept for `roll_back`.
        accept_difference: put them in place even if they are not equal: after the fold has been
            changed, to repair damage, or to fold what could not be folded once.

    Yields:
        What is done, step by step, and how far the fold has come about once a second.

    Raises:
        AlreadyRebuilding: another is at it.
        Different: the tables are not equal, and that is not accepted.
        InTheWay: others held on to the tables for too long.
        NotMovable: something holds on to the tables, or a schema of that name is not ours.
    """
    with _alone(url, projection) as connection:
        standby = Standby(connection, source, projection, f"{projection.name}_rebuilt")
        Standby(connection, source, projection, f"{projection.name}_retired").exists()
        yield Begun(projection.name, standby.begin())
        yield from _catch_up(standby)
        standby.tidy()
        different = False
        for compared in _compare(url, standby):
            different = different or not compared.equal
            yield compared
        if different and not accept_difference:
            raise Different(
                "Not swapped, as the tables differ: by what could not be folded once (dead letters:"
                f" {standby.buried('public')} live, {standby.buried()} now), by a fold that has"
                " changed, or by damage. If that explains it, --accept-difference swaps them."
            )
        yield swap(url, standby, new_edition=different)


def roll_back(url: str, source: Source, projection: AnyProjection) -> Iterator[Step]:
    """Put the tables back that the last rebuild (or rollback) has retired, once caught up.

    They are compared, but not refused: those that are live now are retired in turn.

    Raises:
        NothingRetired: there are none.
        AlreadyRebuilding, InTheWay, NotMovable: as for `rebuild`.
    """
    with _alone(url, projection) as connection:
        standby = Standby(connection, source, projection, f"{projection.name}_retired")
        if not standby.exists():
            raise NothingRetired(f"There is no schema {standby.schema} to go back to.")
        standby.require_alike()
        yield Begun(projection.name, f"goes on at {standby.position()} with what was retired")
        yield from _catch_up(standby)
        yield from (compared := list(_compare(url, standby)))
        yield swap(url, standby, new_edition=not all(table.equal for table in compared))


@contextmanager
def _alone(url: str, projection: AnyProjection) -> Generator[Connection[TupleRow]]:
    """Yield a connection under whose session nobody else rebuilds the projection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_PATIENCE)
        try:
            connection.execute(_LOCK, (projection.name, AdvisoryLock.REBUILD))
        except LockNotAvailable:
            raise AlreadyRebuilding(f"{projection.name} is being rebuilt by another.") from None
        connection.execute(_SETTINGS)
        yield connection


def _catch_up(standby: Standby) -> Iterator[Progress]:
    """Fold until the live tables are only so far ahead as they go while one looks."""
    told_s, upto = monotonic(), standby.live_position()
    while True:
        for progress in standby.fold_to(upto):
            if monotonic() - told_s >= _TELL_EVERY_S or progress.position == upto:
                told_s = monotonic()
                yield progress
        last, upto = upto, standby.live_position()
        if upto - last <= _CLOSE:
            return


def _compare(url: str, standby: Standby) -> Iterator[Compared]:
    """Compare at the position at which one snapshot shows the live tables."""
    name, tables = standby.projection.name, standby.projection.tables
    with psycopg.connect(url, autocommit=True) as connection, connection.transaction():
        connection.execute(_SNAPSHOT)
        (position,) = connection.execute(_LIVE, (name,)).fetchone() or (0,)
        live = {table: checksum(connection, "public", table) for table in tables}
    for _ in standby.fold_to(position):
        pass
    for table, folded in standby.checksums().items():
        yield Compared(table, position, live[table], folded)
