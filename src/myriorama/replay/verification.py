"""Whether the read side is what the logs say: every table folded anew, and compared by checksum."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from myriorama.replay.checksums import Checksum, checksum
from myriorama.replay.folding import Source, fold_next
from projections.projection import AnyProjection

_SCRATCH = "verification"

_POSITION = "SELECT position FROM projection_positions WHERE name = %s"
_GIVEN_UP = "SELECT count(*) FROM dead_letters WHERE projection = %s"

_COPY_SHAPE = "CREATE TABLE {} (LIKE {} INCLUDING ALL)"


@dataclass(frozen=True)
class Comparison:
    """One table at one position: how it is, and how it should be.

    `given_up` is how many events its projection could not take in: equal tables lack them alike.
    """

    projection: str
    table: str
    position: int
    live: Checksum
    folded: Checksum
    given_up: int

    @property
    def equal(self) -> bool:
        return self.live == self.folded

    @property
    def sound(self) -> bool:
        return self.equal and not self.given_up


def compare(
    url: str, sources: Mapping[str, Source], projections: Sequence[AnyProjection]
) -> Iterator[Comparison]:
    """Fold each projection anew up to where it stands, and compare its tables' checksums.

    Works in a transaction of its own that is rolled back: it may run while the projector does,
    and leaves nothing behind.

    Raises:
        StandsStill: a newer release has folded what this one cannot.
    """
    for projection in projections:
        with (
            psycopg.connect(url) as connection,
            connection.transaction(force_rollback=True),
        ):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield from _compare(connection, sources[projection.log], projection)


def _compare(
    connection: Connection[TupleRow], source: Source, projection: AnyProjection
) -> Iterator[Comparison]:
    upto = _number(connection, _POSITION, projection.name)
    given_up = _number(connection, _GIVEN_UP, projection.name)
    live = {table: checksum(connection, "public", table) for table in projection.tables}
    connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(_SCRATCH)))
    for table in projection.tables:
        connection.execute(
            SQL(_COPY_SHAPE).format(Identifier(_SCRATCH, table), Identifier("public", table))
        )
    connection.execute(SQL("SET LOCAL search_path = {}, public").format(Identifier(_SCRATCH)))
    position = 0
    while position < upto:
        position = fold_next(connection, source, [projection], position, upto=upto).upto
    for table in projection.tables:
        folded = checksum(connection, _SCRATCH, table)
        yield Comparison(projection.name, table, upto, live[table], folded, given_up)


def _number(connection: Connection[TupleRow], query: LiteralString, name: str) -> int:
    row = connection.execute(query, (name,)).fetchone()
    return int(row[0]) if row else 0
