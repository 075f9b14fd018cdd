"""What the tests of the days of the view log share: some days, and a clock that jumps."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from myriorama.settings import Settings
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_source import ViewSource
from tests.viewing import AUCTIONED, DECIDED, append, batch, served

CLOCK = """
    CREATE SCHEMA clock;
    CREATE TABLE clock.jump (by interval NOT NULL);
    INSERT INTO clock.jump VALUES (interval '0');
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        $$ SELECT pg_catalog.clock_timestamp() + by FROM clock.jump $$;
    GRANT USAGE ON SCHEMA clock TO PUBLIC;
    GRANT SELECT ON clock.jump TO PUBLIC;
"""


@pytest.fixture
def objects(settings: Settings) -> FolderObjects:
    return FolderObjects(Path(settings.objects))


@pytest.fixture
def source(pool: Pool, objects: FolderObjects) -> ViewSource:
    return ViewSource(pool, objects)


@pytest.fixture
def set_clock(pool: Pool, database_url: str) -> Callable[[int], None]:
    """Let the days of PostgreSQL's clock be others."""
    with pool.connection() as connection:
        connection.execute(CLOCK.encode())
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        connection.execute(
            f"ALTER DATABASE {name} SET search_path = clock, pg_catalog, public".encode()
        )

    def set_to(days: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE clock.jump SET by = make_interval(days => %s)", (days,))

    return set_to


@pytest.fixture
def five_days(database_url: str, set_clock: Callable[[int], None]) -> None:
    """Some days of a busy house; on the third, nobody reports."""
    for day in range(5):
        set_clock(day)
        batches = [batch(100 * day + n, views=1 + n % 5) for n in range(9)] if day != 2 else []
        pages = [
            served(n % 4, ranking=(None, DECIDED)[n % 2], ads=(None, AUCTIONED)[n // 2 % 2])
            for n in range(7)
        ]
        append(database_url, batches, pages)
