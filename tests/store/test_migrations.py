"""The schema can be made by whoever owns the database, and by several at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.conninfo import make_conninfo

from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.postgres import ExtensionMissing, known_migrations, migrate, open_pool
from myriorama.store.recorder import DomainRecorder


@pytest.fixture
def server() -> Iterator[str]:
    """A server on which nothing of ours has ever been."""
    with TemporaryDirectory(prefix="myriorama-") as folder:
        server = start_postgres(Path(folder) / "postgres")
        yield server.url
        server.stop()


def test_an_owner_who_is_no_superuser_makes_the_schema_and_records(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE ROLE alice LOGIN CREATEROLE")
        connection.execute("CREATE DATABASE hers OWNER alice")
    hers = make_conninfo(server, user="alice", dbname="hers")

    with pytest.raises(ExtensionMissing, match="CREATE EXTENSION vector in this database once"):
        migrate(hers)
    with psycopg.connect(make_conninfo(server, dbname="hers"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
    migrate(hers)

    with open_pool(hers) as pool:
        recorder = DomainRecorder(pool)
        assert recorder.insert_events([StoredEvent(uuid4(), 1, "sample.sampled", b"{}")]) == [1]


def test_eight_who_start_at_once_on_two_empty_databases_make_each_schema_once(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE one")
        connection.execute("CREATE DATABASE two")
    databases = [make_conninfo(server, dbname=name) for name in ("one", "two")]

    with ThreadPoolExecutor(8) as starting:
        applied = list(starting.map(migrate, databases * 4))

    assert [names for names in applied if names] == [known_migrations()] * 2


def test_a_server_without_pgvector_is_told_what_to_install(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
        connection.execute("ALTER DATABASE bare SET search_path = public, pg_catalog")
    bare = make_conninfo(server, dbname="bare")
    with psycopg.connect(bare, autocommit=True) as connection:
        # What a server has stands in its folders; to this database alone it says that it has less.
        connection.execute("""
            CREATE VIEW pg_available_extensions AS
            SELECT * FROM pg_catalog.pg_available_extensions WHERE name <> 'vector'
        """)

    with pytest.raises(ExtensionMissing, match=r"no extension vector\. Install pgvector"):
        migrate(bare)

    with psycopg.connect(bare, autocommit=True) as connection:
        connection.execute("DROP VIEW pg_available_extensions")
    assert "0091_search.sql" in migrate(bare)
