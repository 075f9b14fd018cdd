"""Days of the view log in tests: tended long after they were, read, folded and looked at."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.viewing.events import SlateServed, VideoViewed
from myriorama.bootstrap.logs import projections
from myriorama.settings import Settings
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_days import ViewDays
from myriorama.store.view_source import ViewSource
from projections.projection import Recorded

TOPICS = (SlateServed.TOPIC, VideoViewed.TOPIC)
TODAY = datetime.now(UTC).date()
LAST_DAY = TODAY + timedelta(days=4)
LATER = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 12, tzinfo=UTC) + timedelta(days=60)

PARTS = """
    SELECT relname FROM pg_class
    WHERE relname ~ '^(viewings|slates)_(\\d|unforeseen$)' AND relkind = 'r'
    ORDER BY 1
"""


def view_days(settings: Settings, objects: FolderObjects) -> ViewDays:
    ours = [projection.name for projection in projections() if projection.log == "views"]
    kept = timedelta(days=settings.view_days_kept)
    return ViewDays(settings.database_url, objects, projections=ours, kept=kept)


def read(source: ViewSource, limit: int = 11) -> list[Recorded[Any]]:
    """Read the whole log in small windows."""
    events, after = list[Recorded[Any]](), 0
    while (window := source.read(after, limit, TOPICS)).upto > after:
        events += window.events
        after = window.upto
    return events


def project(pool: Pool, source: ViewSource) -> None:
    """Fold the view log to its end, as the projector does."""
    for projection in projections():
        if projection.log == "views":
            with pool.connection() as connection, connection.cursor() as cursor:
                projection.fold_range(0, source.head(), cursor)  # type: ignore[union-attr]  # sets all
                cursor.execute(
                    "INSERT INTO projection_positions (name, position) VALUES (%s, %s)",
                    (projection.name, source.head()),
                )


def exported(pool: Pool) -> Sequence[tuple[date, str, bool]]:
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT day, log_table, dropped_at IS NOT NULL FROM exported_days ORDER BY 1, 2"
        ).fetchall()
    return [(day, table, dropped) for day, table, dropped in rows]


def parts(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        return [name for (name,) in connection.execute(PARTS).fetchall()]


def tend(settings: Settings) -> None:
    """Tend the days in a process of its own."""
    view_days(settings, FolderObjects(Path(settings.objects))).tend(LATER)
