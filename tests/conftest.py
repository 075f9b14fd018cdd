"""Fixtures shared by all tests: one embedded PostgreSQL, and in it a migrated database a test."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from argon2.profiles import CHEAPEST
from litestar import Litestar
from litestar.testing import TestClient
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from myriorama.application.passwords import Passwords
from myriorama.bootstrap.api import create_api
from myriorama.bootstrap.programs import create_projector
from myriorama.settings import Settings
from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.log import Log
from myriorama.store.postgres import Pool, migrate, open_pool
from tests.drafts import nothing_missing
from tests.people import Person, sign_up

TEMPLATE = "template_myriorama"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

# To copy a database takes twenty times as long on a disk as in memory, where there is this much.
MEMORY, MEMORY_BYTES_MIN = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - made by mkdtemp below it


# What takes long is begun first, so that no process of a run is left with it at the end; and what
# compiles the loops of the ranking before all, while other processes do what needs none of them.
BEGUN_FIRST = (
    "tests/feed/test_warming.py",
    "tests/studio/",
    "tests/e2e/",
    "tests/crash/",
    "tests/workers/",
    "tests/replay/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests into the order in which they are begun."""
    items.sort(key=_place)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of this process's server, which has a migrated template.

    It need not outlast the machine; what must is proved on other servers. Not below pytest's own
    folder: as root the server is another user, whom each run shuts out.
    """
    with TemporaryDirectory(prefix="myriorama-", dir=_in_memory()) as folder:
        server = start_postgres(Path(folder) / "postgres", durable=False)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate(_database(server.url, TEMPLATE))
        yield server.url
        server.stop()


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
        yield _database(postgres, name)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with open_pool(database_url) as pool:
        yield pool


@pytest.fixture
def log(pool: Pool) -> Log:
    return Log(pool)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        kafka="127.0.0.1:1",
        objects=str(tmp_path / "objects"),
        secret="a secret of the tests, 32 bytes or more",  # noqa: S106 - of the tests alone
        worker_token="a worker token of the tests, 32 bytes",  # noqa: S106 - of the tests alone
        home=tmp_path,
        requests_per_minute=100_000,
        credential_requests_per_minute=100_000,
    )


@pytest.fixture
def projecting(settings: Settings) -> Iterator[None]:
    """The projections follow the log, as in production, for as long as the test runs."""
    projector = create_projector(settings)
    thread = threading.Thread(target=projector.run, daemon=True)
    thread.start()
    yield
    projector.stop()
    thread.join(timeout=60)


@pytest.fixture
def api(settings: Settings, projecting: None) -> Iterator[TestClient[Litestar]]:
    """The API over real PostgreSQL, with the projections running."""
    assert projecting is None
    with TestClient(
        create_api(settings, missing=nothing_missing, passwords=Passwords(CHEAPEST)),
        raise_server_exceptions=False,
    ) as client:
        yield client


@pytest.fixture
def person(api: TestClient[Litestar], settings: Settings) -> Callable[[str], Person]:
    """Sign somebody up by their first name: `alice = person("alice")`."""
    return lambda handle: sign_up(api, settings, handle)


def _place(item: pytest.Item) -> int:
    began = map(item.nodeid.startswith, BEGUN_FIRST)
    return next((place for place, does in enumerate(began) if does), len(BEGUN_FIRST))


def _in_memory() -> Path | None:
    """Where files are kept in memory; None if there is no such place, or little room in it."""
    is_roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return MEMORY if is_roomy else None


def _database(url: str, name: str) -> str:
    parts = conninfo_to_dict(url)
    return make_conninfo("", **{**parts, "dbname": name})
