"""How routes read: rows of the read side as structs, over the pool of the event loop."""

from typing import TypeVar

from psycopg import AsyncConnection
from psycopg.abc import Params, QueryNoTemplate
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool

T = TypeVar("T")


class Reads:
    """Runs one query at a time on a connection of the pool."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool

    async def one(self, kind: type[T], query: QueryNoTemplate, params: Params = ()) -> T | None:
        """Return the first row as `kind`, whose fields are the columns; None if there is none."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(kind)) as cursor,
        ):
            return await (await cursor.execute(query, params)).fetchone()

    async def many(self, kind: type[T], query: QueryNoTemplate, params: Params = ()) -> list[T]:
        """Return all rows as `kind`."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(kind)) as cursor,
        ):
            return await (await cursor.execute(query, params)).fetchall()
