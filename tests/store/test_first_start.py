"""Processes that start at once on databases where nothing is yet."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.postgres import migrate, open_pool
from myriorama.store.recorder import DomainRecorder
from tests.forking import FORKED
from tests.store.recording import happened, stored


@pytest.fixture
def empty_databases() -> Iterator[list[str]]:
    """Two databases of a server that has neither our tables nor our role."""
    with TemporaryDirectory(prefix="myriorama-") as folder:
        server = start_postgres(Path(folder) / "postgres")
        urls: list[str] = []
        with psycopg.connect(server.url, autocommit=True) as connection:
            for name in ("alice", "bob"):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                urls.append(make_conninfo("", **{**conninfo_to_dict(server.url), "dbname": name}))
        yield urls
        server.stop()


def test_eight_processes_that_start_at_once_on_empty_databases_all_record(
    empty_databases: list[str],
) -> None:
    with ProcessPoolExecutor(8, mp_context=FORKED) as processes:
        positions = list(processes.map(start, empty_databases * 4))

    for database, url in enumerate(empty_databases):
        assert sorted(positions[database::2]) == [1, 2, 3, 4]
        assert [position for position, *_ in stored(url)] == [1, 2, 3, 4]


def start(url: str) -> int:
    """Migrate, and record one event. Returns its position."""
    migrate(url)
    with open_pool(url, size_max=1) as pool:
        recorder = DomainRecorder(pool)
        positions = recorder.insert_events([happened()]) or []
        recorder.close()
    return positions[0]
