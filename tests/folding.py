"""Folds the log into tables, in the test itself, instead of beside it."""

from typing import Any

from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.projection import Projection


def fold(log: Log, pool: Pool, *projections: Projection[Any]) -> None:
    """Fold the whole log into the tables of the projections, which are emptied first."""
    with pool.connection() as connection, connection.cursor() as cursor:
        for projection in projections:
            for table in projection.tables:
                cursor.execute(f"TRUNCATE {table}".encode())
            projection.fold(log.read(0, 10_000, projection.topics).events, cursor)
