"""Whether the read side is what the logs say: every table folded anew, and compared by its hash."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from projections.projection import Projection, Window

_WINDOW = 500
_SCRATCH = "verification"

_POSITION = "SELECT position FROM projection_positions WHERE name = %s"

# Order does not matter to a sum, and 120 bits of MD5 a row leave no room for chance.
_HASH = """
    SELECT count(*),
           coalesce(sum(('x' || substr(md5(row::text), 1, 15))::bit(60)::bigint), 0),
           coalesce(sum(('x' || substr(md5(row::text), 16, 15))::bit(60)::bigint), 0)
    FROM {} AS row
"""

_COPY_SHAPE = "CREATE TABLE {} (LIKE {} INCLUDING ALL)"


class Source(Protocol):
    """A log that can be read by position."""

    def read(self, after: int, limit: int, topics: Sequence[str]) -> Window:
        """Return the next window behind `after`."""
        ...


@dataclass(frozen=True)
class Comparison:
    """One table at one position: how it is, and how it should be."""

    projection: str
    table: str
    position: int
    live: tuple[int, ...]
    folded: tuple[int, ...]

    @property
    def equal(self) -> bool:
        return self.live == self.folded


def compare(
    url: str, sources: Mapping[str, Source], projections: Sequence[Projection[Any]]
) -> Iterator[Comparison]:
    """Fold each projection anew up to where it stands, and compare its tables' hashes.

    Works in a transaction of its own that is rolled back: it may run while the projector does,
    and leaves nothing behind.
    """
    for projection in projections:
        with (
            psycopg.connect(url) as connection,
            connection.transaction(force_rollback=True),
        ):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield from _compare(connection, sources[projection.log], projection)


def _compare(
    connection: Connection[TupleRow], source: Source, projection: Projection[Any]
) -> Iterator[Comparison]:
    row = connection.execute(_POSITION, (projection.name,)).fetchone()
    upto: int = row[0] if row else 0
    live = {table: _hash(connection, "public", table) for table in projection.tables}
    connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(_SCRATCH)))
    for table in projection.tables:
        connection.execute(
            SQL(_COPY_SHAPE).format(Identifier(_SCRATCH, table), Identifier("public", table))
        )
    connection.execute(SQL("SET LOCAL search_path = {}, public").format(Identifier(_SCRATCH)))
    with connection.cursor() as cursor:
        _fold(cursor, source, projection, upto)
    for table in projection.tables:
        folded = _hash(connection, _SCRATCH, table)
        yield Comparison(projection.name, table, upto, live[table], folded)


def _fold(cursor: Cursor[TupleRow], source: Source, projection: Projection[Any], upto: int) -> None:
    after = 0
    while after < upto:
        window = source.read(after, _WINDOW, projection.topics)
        events = [recorded for recorded in window.events if recorded.position <= upto]
        if events:
            projection.fold(events, cursor)
        after = window.upto


def _hash(connection: Connection[TupleRow], schema: str, table: str) -> tuple[int, ...]:
    row = connection.execute(SQL(_HASH).format(Identifier(schema, table))).fetchone()
    return tuple(int(value) for value in row or ())
