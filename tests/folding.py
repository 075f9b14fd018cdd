"""Folds the log into tables, in the test itself, instead of beside it."""

from typing import Any

from myriorama.store.event_source import EventSource
from myriorama.store.postgres import Pool
from projections.projection import Projection


def fold(pool: Pool, *projections: Projection[Any]) -> None:
    """Fold the whole log into the tables of the projections, which are emptied first."""
    source = EventSource(pool)
    with pool.connection() as connection, connection.cursor() as cursor:
        for projection in projections:
            for table in projection.tables:
                cursor.execute(f"TRUNCATE {table}".encode())
            projection.fold(source.read(0, 10_000, projection.topics).events, cursor)
