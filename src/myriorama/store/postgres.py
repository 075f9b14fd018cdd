"""PostgreSQL: pools of connections that survive a restart of the server, and the migrations."""

import time
from collections.abc import Sequence
from enum import IntEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg import Connection
from psycopg.errors import FeatureNotSupported, ReadOnlySqlTransaction
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, ConnectionPool

logger = structlog.get_logger(__name__)

Pool = ConnectionPool[Connection[TupleRow]]

_LOCK_MIGRATIONS = "SELECT pg_advisory_lock(%s)"

_CREATE_MIGRATIONS = """
    CREATE TABLE IF NOT EXISTS migrations (
        name       text        NOT NULL PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""

_IS_MIGRATED = "SELECT to_regclass('migrations') IS NOT NULL"
_APPLIED = "SELECT name FROM migrations"
_APPLY = "INSERT INTO migrations (name) VALUES (%s)"


class MigrationsMissing(Exception):
    """The database lacks migrations that this release knows; the message names them."""


class ExtensionMissing(Exception):
    """The server has no extension that a migration needs; the message says what to do."""


class AdvisoryLock(IntEnum):
    """Every advisory lock of ours: the numbers are the database's, so no two may be the same."""

    MIGRATIONS = 7220250101
    DOMAIN_LOG = 7220250102
    VIEW_LOG = 7220250103
    DISPATCHER = 7220250104
    DOMAIN_RELAY = 7220250105
    VIEW_RELAY = 7220250106
    REBUILD = 7220250107
    VIEW_DAYS = 7220250108
    RENDITIONS = 7220250109
    AD_EVENTS = 7220250110
    SETTLEMENT = 7220250111
    CASHIER = 7220250112
    BUDGETS = 7220250113
    PACER = 7220250114
    TRAFFIC = 7220250115
    NOTIFIER = 7220250116
    CHANCES = 7220250117
    SIMULATIONS = 7220250118
    AUDIT = 7220250119


def open_pool(url: str, *, size_max: int = 8, is_checked: bool = True) -> Pool:
    """Open a pool whose connections are checked before use: a restarted server is no error.

    Unchecked, it is one for each connection, and a use takes a round trip less.
    """
    pool = closed_pool(url, size_max=size_max, is_checked=is_checked)
    pool.open()
    return pool


def closed_pool(url: str, *, size_max: int = 8, is_checked: bool = True) -> Pool:
    """Return such a pool, to be opened and closed by whoever uses it."""
    return ConnectionPool[Connection[TupleRow]](
        url,
        min_size=1,
        max_size=size_max,
        timeout=10,
        check=ConnectionPool.check_connection if is_checked else None,
        kwargs={"autocommit": True},
        open=False,
    )


def async_pool(url: str, *, size_max: int = 8, is_checked: bool = True) -> AsyncConnectionPool[Any]:
    """Return a pool for an event loop, to be opened and closed by it.

    To check a connection before each use takes a round trip.
    """
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=size_max,
        timeout=10,
        check=AsyncConnectionPool.check_connection if is_checked else None,
        kwargs={"autocommit": True},
        open=False,
    )


def hung_up(error: psycopg.Error) -> bool:
    """Whether the connection has ended with this, though psycopg may not have noticed yet.

    Else the server has said no to a statement. Errors without a code are the client library's own.
    A server that only reads from now on is as good as gone: another one writes, or will.
    """
    if isinstance(error, ReadOnlySqlTransaction):
        return True
    if error.diag.severity_nonlocalized in {"FATAL", "PANIC"}:
        return True
    ours = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return ours and error.sqlstate is None


def await_server(url: str, *, timeout_s: float) -> None:
    """Return when the server answers.

    Raises:
        psycopg.OperationalError: it did not within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def migrate(url: str) -> Sequence[str]:
    """Apply the migrations that have not been applied, in order, each in its transaction.

    Safe to run from several processes at once. Returns the names of those applied.

    Raises:
        ExtensionMissing: one of them needs what the server does not have.
    """
    applied: list[str] = []
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(_LOCK_MIGRATIONS, (AdvisoryLock.MIGRATIONS,))
        database.execute(_CREATE_MIGRATIONS)
        done = {name for (name,) in database.execute(_APPLIED)}
        for migration in _migrations():
            if migration.name not in done:
                try:
                    with database.transaction():
                        database.execute(migration.read_bytes())
                        database.execute(_APPLY, (migration.name,))
                except FeatureNotSupported as error:
                    told = (error.diag.message_primary, error.diag.message_hint)
                    raise ExtensionMissing(" ".join(filter(None, told))) from error
                applied.append(migration.name)
                logger.info("migrated", migration=migration.name)
    return applied


def known_migrations() -> Sequence[str]:
    """Return the names of all migrations that this release knows, applied or not."""
    return [migration.name for migration in _migrations()]


def require_migrated(url: str) -> None:
    """Refuse a database whose schema is older than this release.

    Raises:
        MigrationsMissing: it is.
    """
    with psycopg.connect(url, autocommit=True) as database:
        (is_migrated,) = database.execute(_IS_MIGRATED).fetchone() or (False,)
        applied = [name for (name,) in database.execute(_APPLIED)] if is_migrated else []
    missing = [name for name in known_migrations() if name not in applied]
    if missing:
        raise MigrationsMissing(
            f"The database lacks migrations: {', '.join(missing)}. Run `myriorama migrate` first."
        )


def _migrations() -> list[Traversable]:
    packaged = files("myriorama") / "migrations"
    checkout = Path(__file__).parents[3] / "migrations"
    folder = packaged if packaged.is_dir() else checkout
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
