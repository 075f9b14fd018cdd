"""What the rows of a table come to: equal rows, equal checksum, whatever their order."""

from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

# Order does not matter to a sum, and 120 bits of MD5 a row leave no room for chance.
_SUM = """
    SELECT count(*),
           coalesce(sum(('x' || substr(md5(row::text), 1, 15))::bit(60)::bigint), 0),
           coalesce(sum(('x' || substr(md5(row::text), 16, 15))::bit(60)::bigint), 0)
    FROM {} AS row
"""


class Checksum(NamedTuple):
    """How many rows there are, and two sums over their hashes."""

    rows: int
    high: int
    low: int

    def __str__(self) -> str:
        return f"{self.rows} rows {self.high + self.low:x}"


def checksum(connection: Connection[TupleRow], schema: str, table: str) -> Checksum:
    """Return the checksum of a table as the connection's transaction sees it."""
    row = connection.execute(SQL(_SUM).format(Identifier(schema, table))).fetchone()
    return Checksum(*(int(value) for value in row or (0, 0, 0)))
