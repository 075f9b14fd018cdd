"""A projection folded a second time, in a schema of its own, while the live one goes on.

`<name>_rebuilt` holds what is on its way to become live, `<name>_retired` what was live until then.
Each has the tables, their position and their dead letters, and nothing outside of it: whoever is
killed leaves it as it was after the last window.
"""

import hashlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import LiteralString, NamedTuple

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from myriorama.replay.checksums import Checksum, checksum
from myriorama.replay.folding import Source, bury, fold_next
from myriorama.replay.shapes import copy_shape, held_by, look_into, shape
from projections.projection import AnyProjection

_MARK = "myriorama"

_COMMENT = """
    SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = %s
"""

_LIVE = "SELECT position FROM public.projection_positions WHERE name = %s"
_POSITION = "SELECT position FROM {}.projection_positions WHERE name = %s"
_BEGIN = "INSERT INTO {}.projection_positions (name, position) VALUES (%s, 0)"
_ADVANCE = """
    UPDATE {}.projection_positions SET position = %s, updated_at = clock_timestamp()
    WHERE name = %s
"""

# Who waits for the fence, or for one who does, takes a new snapshot once it is lifted; what vacuum
# sees it shows to nobody.
_SNAPSHOTS = """
    WITH RECURSIVE fenced (pid) AS (
        SELECT %s::int
        UNION
        SELECT a.pid FROM fenced f, pg_stat_activity a WHERE f.pid = ANY(pg_blocking_pids(a.pid))
    )
    SELECT l.virtualtransaction, a.pid, a.application_name FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'virtualxid' AND l.granted AND a.datname = current_database()
      AND a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid()
      AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
      AND a.pid NOT IN (SELECT pid FROM fenced)
"""

_HOLDERS = """
    SELECT DISTINCT l.virtualtransaction, a.pid, a.application_name FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.relation = ANY(%s::regclass[]) AND l.granted AND a.pid <> pg_backend_pid()
"""

_BURIED = "SELECT count(*) FROM {}.dead_letters WHERE projection = %s"


class NotRebuilt(Exception):
    """A rebuild has come to nothing, and the live tables are as they were."""


class NotMovable(NotRebuilt):
    """The tables of a projection cannot be exchanged as they are; the message says why."""


class Progress(NamedTuple):
    """How far a fold has come, and how many events of the log it went through."""

    position: int
    upto: int
    events: int
    per_second: float

    def __str__(self) -> str:
        percent = 100 * self.position // max(1, self.upto)
        return f"{percent} % of {self.upto}: {self.events} events, {self.per_second:,.0f} a second"


class Standby:
    """The tables of one projection in one schema, folded by this connection alone."""

    def __init__(
        self,
        connection: Connection[TupleRow],
        source: Source,
        projection: AnyProjection,
        schema: str,
    ) -> None:
        self._connection = connection
        self._source = source
        self.projection = projection
        self.schema = schema

    def exists(self) -> bool:
        """Whether the schema is there.

        Raises:
            NotMovable: it is, but somebody else made it.
        """
        row = self._connection.execute(_COMMENT, (self.schema,)).fetchone()
        if row is None:
            return False
        if not row[0].startswith(_MARK):
            raise NotMovable(f"There is a schema {self.schema} that Myriorama has not made.")
        return True

    def begin(self) -> str:
        """Have the tables ready to be folded. Returns whether that is to start or to go on.

        What was folded by another fold, or into tables of another shape, is not gone on with.

        Raises:
            NotMovable: something depends on the live tables, or the schema is somebody else's.
        """
        tables = self.projection.tables
        require_movable(self._connection, tables)
        mark = f"{_MARK} {self._fingerprint()}"
        begun = "starts at the beginning"
        with self._connection.transaction():
            if self.exists():
                row = self._connection.execute(_COMMENT, (self.schema,)).fetchone()
                if row and row[0] == mark and self.position() <= self.live_position():
                    return f"goes on at position {self.position()}"
                begun = "starts over, as the fold, the tables or the log are not what they were"
                self._execute("DROP SCHEMA {} CASCADE")
            make_schema(self._connection, self.schema, mark)
            copy_shape(self._connection, tables, self.schema)
            self._execute(_BEGIN, self.projection.name)
        self.require_alike()
        return begun

    def require_alike(self) -> None:
        """See to it that the tables can take the places of the live ones, or raise NotMovable."""
        require_alike(self._connection, self.projection.tables, self.schema)

    def position(self) -> int:
        """Return the position up to which the tables are folded."""
        row = self._execute(_POSITION, self.projection.name).fetchone()
        return row[0] if row else 0

    def live_position(self) -> int:
        """Return the position of the live tables."""
        row = self._connection.execute(_LIVE, (self.projection.name,)).fetchone()
        return row[0] if row else 0

    def fold_to(self, upto: int) -> Iterator[Progress]:
        """Fold window by window, each in its transaction, up to a position."""
        begun, begun_s = self.position(), monotonic()
        after, connection = begun, self._connection
        while after < upto:
            with connection.transaction(), connection.cursor() as cursor:
                look_into(cursor, self.schema)
                folded = fold_next(connection, self._source, [self.projection], after, upto=upto)
                bury(connection, folded.dead_letters)
                self._execute(_ADVANCE, folded.upto, self.projection.name)
            if folded.upto == after:
                raise NotMovable(f"The log ends at {after}, the live tables are at {upto}.")
            after = folded.upto
            passed_s = max(1e-6, monotonic() - begun_s)
            yield Progress(after, upto, after - begun, (after - begun) / passed_s)

    def tidy(self) -> None:
        """Have the planner know the tables as well as it knows those that served until now."""
        for table in self.projection.tables:
            self._connection.execute(
                SQL("VACUUM (ANALYZE) {}").format(Identifier(self.schema, table))
            )

    def checksums(self) -> dict[str, Checksum]:
        """Return the checksum of each table."""
        tables = self.projection.tables
        return {table: checksum(self._connection, self.schema, table) for table in tables}

    def buried(self, schema: str = "") -> int:
        """Return how many events could not be folded, here or into the tables of another schema."""
        statement = SQL(_BURIED).format(Identifier(schema or self.schema))
        row = self._connection.execute(statement, (self.projection.name,)).fetchone()
        return row[0] if row else 0

    def snapshots(self, fence_pid: int) -> dict[str, str]:
        """Return the transactions that have a snapshot now, and whose they are.

        Not those that wait for the session `fence_pid`: they will have another one.
        """
        return {
            key: _session(*of) for key, *of in self._connection.execute(_SNAPSHOTS, (fence_pid,))
        }

    def holders(self) -> list[str]:
        """Return who holds the live tables now."""
        names = [f"public.{table}" for table in self.projection.tables]
        return [_session(*of) for _, *of in self._connection.execute(_HOLDERS, (names,))]

    def _fingerprint(self) -> str:
        fold_source = inspect.getsource(sys.modules[type(self.projection).__module__])
        lines = [*shape(self._connection, self.projection.tables, "public"), fold_source]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _execute(self, statement: LiteralString, *parameters: object) -> Cursor[TupleRow]:
        return self._connection.execute(
            SQL(statement).format(Identifier(self.schema)), parameters or None
        )


def make_schema(connection: Connection[TupleRow], schema: str, mark: str = _MARK) -> None:
    """Make a schema of ours, with nothing in it but a place for a position and for dead letters."""
    connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    connection.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(schema), mark))
    for table in ("projection_positions", "dead_letters"):
        like = SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
        connection.execute(like.format(Identifier(schema, table), Identifier("public", table)))


def require_movable(connection: Connection[TupleRow], tables: Sequence[str]) -> None:
    """See to it that nothing holds on to the live tables but their names.

    Raises:
        NotMovable: something does.
    """
    if holders := held_by(connection, tables):
        raise NotMovable(f"These depend on the very tables of today: {', '.join(holders)}.")


def require_alike(connection: Connection[TupleRow], tables: Sequence[str], schema: str) -> None:
    """See to it that the tables of a schema can take the places of the live ones.

    Raises:
        NotMovable: they have another shape, or something holds on to the live ones.
    """
    require_movable(connection, tables)
    here, there = (shape(connection, tables, where) for where in (schema, "public"))
    if unlike := sorted(set(here) ^ set(there)):
        raise NotMovable(f"The tables in {schema} are not like the live ones: {'; '.join(unlike)}.")


def _session(pid: int, application: str) -> str:
    return f"session {pid} ({application or 'without a name'})"
