"""The swap: folded tables take the places and names of the live ones, in one transaction.

Nobody who reads meets an error or misses a row. Who waits for a table finds, when the lock is free,
the one that has its name by then; and no snapshot that was taken before all of its rows were there
is left when it takes its place.
"""

import random
import time
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from myriorama.replay.standby import NotRebuilt, Standby, make_schema, require_alike

_PATIENCE_S = 120.0
_BEHIND_MAX = 2000
_SNAPSHOTS_S_MAX = 0.5
_POLL_S = 0.01

# Readers queue behind whoever waits for a table, so nobody waits for one longer than this.
_TABLE_LOCK = "100ms"
_POSITION_LOCK = "2s"

_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, true)"
_BEGIN = "INSERT INTO projection_positions (name, position) VALUES (%s, 0) ON CONFLICT DO NOTHING"
_FENCE = "SELECT position FROM public.projection_positions WHERE name = %s FOR UPDATE"

_KEEP_POSITION = """
    INSERT INTO {}.projection_positions SELECT * FROM public.projection_positions WHERE name = %s
"""

_KEEP_LETTERS = """
    WITH gone AS (DELETE FROM public.dead_letters WHERE projection = %s RETURNING *)
    INSERT INTO {}.dead_letters SELECT * FROM gone
"""

_BRING_LETTERS = "INSERT INTO public.dead_letters SELECT * FROM {}.dead_letters"

# The position stays; another edition tells those who keep rows in memory to read all of them anew.
_EDITION = "UPDATE public.projection_positions SET edition = edition + %s WHERE name = %s"
_TELL = "SELECT pg_notify('rebuilt', %s)"


class InTheWay(NotRebuilt):
    """Others held the tables, or old snapshots, all the time; nothing has changed."""


class Swapped(NamedTuple):
    """That the tables have changed places, and where those are that were live."""

    position: int
    retired_to: str

    def __str__(self) -> str:
        return f"swapped at {self.position}; what was live is kept in {self.retired_to}"


class _NotYet(Exception):
    """An attempt has come to nothing, and was taken back."""


def swap(url: str, standby: Standby, *, new_edition: bool) -> Swapped:
    """Put the tables of `standby` in the place of the live ones, and those into `<name>_retired`.

    What was there before goes. The projector waits for a few seconds at most, a reader for a tenth
    of one; where that is not enough, it is tried again.

    Args:
        url: PostgreSQL.
        standby: folded up to where the live tables are, or somewhat less.
        new_edition: whether rows differ, so that what others keep in memory is to be read anew.

    Raises:
        InTheWay: it could not be done in two minutes.
        NotMovable: something has come to depend on the tables, or has changed their shape.
    """
    give_up_s, pause_s = time.monotonic() + _PATIENCE_S, 0.05
    while True:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_BEGIN, (standby.projection.name,))
            try:
                with connection.transaction():
                    return _attempt(connection, standby, new_edition=new_edition)
            except (_NotYet, LockNotAvailable) as error:
                if time.monotonic() > give_up_s:
                    sessions = ", ".join(standby.holders()) or str(error)
                    raise InTheWay(f"In the way for two minutes: {sessions}.") from error
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - so that none beats in time
        pause_s = min(2.0, pause_s * 1.5)
        for _ in standby.fold_to(standby.live_position()):
            pass


def _attempt(connection: Connection[TupleRow], standby: Standby, *, new_edition: bool) -> Swapped:
    name, tables = standby.projection.name, standby.projection.tables
    connection.execute(_LOCK_TIMEOUT, (_POSITION_LOCK,))
    (position,) = connection.execute(_FENCE, (name,)).fetchone() or (0,)
    if position - standby.position() > _BEHIND_MAX:
        raise _NotYet("the projector is faster than the rebuild")
    # Committed before the swap: a statement that began before it may meet the tables after it.
    for _ in standby.fold_to(position):
        pass
    _outlast(standby, connection.info.backend_pid)
    both = [Identifier(schema, table) for schema in ("public", standby.schema) for table in tables]
    connection.execute(_LOCK_TIMEOUT, (_TABLE_LOCK,))
    connection.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(SQL(", ").join(both)))
    require_alike(connection, tables, standby.schema)
    outgoing, retired = f"{name}_outgoing", f"{name}_retired"
    _exchange(connection, standby, outgoing)
    for schema in {standby.schema, retired}:
        connection.execute(_sql("DROP SCHEMA IF EXISTS {} CASCADE", schema))
    connection.execute(_sql("ALTER SCHEMA {} RENAME TO {}", outgoing, retired))
    connection.execute(_EDITION, (int(new_edition), name))
    connection.execute(_TELL, (name,))
    return Swapped(position, retired)


def _exchange(connection: Connection[TupleRow], standby: Standby, outgoing: str) -> None:
    name = standby.projection.name
    make_schema(connection, outgoing)
    for table in standby.projection.tables:
        connection.execute(_sql("ALTER TABLE {}.{} SET SCHEMA {}", "public", table, outgoing))
        connection.execute(_sql("ALTER TABLE {}.{} SET SCHEMA public", standby.schema, table))
    connection.execute(_sql(_KEEP_POSITION, outgoing), (name,))
    connection.execute(_sql(_KEEP_LETTERS, outgoing), (name,))
    connection.execute(_sql(_BRING_LETTERS, standby.schema))


def _outlast(standby: Standby, fence_pid: int) -> None:
    """Wait until all snapshots are gone that may not show all rows of the folded tables."""
    give_up_s = time.monotonic() + _SNAPSHOTS_S_MAX
    waited_for: dict[str, str] = standby.snapshots(fence_pid)
    while waited_for:
        if time.monotonic() > give_up_s:
            raise _NotYet(", ".join(sorted(waited_for.values())))
        time.sleep(_POLL_S)
        left = standby.snapshots(fence_pid)
        waited_for = {key: session for key, session in waited_for.items() if key in left}


def _sql(statement: LiteralString, *names: str) -> Composed:
    return SQL(statement).format(*map(Identifier, names))
