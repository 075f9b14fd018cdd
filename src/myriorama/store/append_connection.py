"""The one connection over which a process appends to the domain log, a batch a transaction.

A batch is drawn when the lock of the log is held, so that it has all who came while others wrote.
If the connection is lost we find out under the lock, over a new one, whether the batch was
committed: it is neither recorded twice nor given up.
"""

import os
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
import structlog
from eventsourcing.persistence import IntegrityError
from psycopg import Connection
from psycopg.errors import LockNotAvailable, SerializationFailure, UniqueViolation
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8
from psycopg_pool import PoolClosed

from myriorama.store.appends import Append, CommandRepeated, Outcome
from myriorama.store.binary_rows import (
    BigintArray,
    UUIDArray,
    arrays,
    copy_rows,
    pack_bigint,
    pack_uuid,
    register_arrays,
)
from myriorama.store.group_commit import Draw
from myriorama.store.postgres import Pool, hung_up

logger = structlog.get_logger(__name__)

PATIENCE_S = 10.0
"""So long we try to reach the server, before those who wait are told that it is not there."""

COPY_ROWS_MIN = 256
"""From so many events on COPY is faster than arrays, though it takes more round trips."""

_CONNECT_S_MAX = 5
_KEEPALIVES: Mapping[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# A process that is stopped while it holds the lock, or cut off, is shut out, so that the others
# can go on.
_SET_UP = """
    SET ROLE myriorama_recorder;
    SET application_name = 'myriorama recorder';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '5s';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 2;
    SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = '10s'
"""

_BEGIN = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SELECT head, transaction::text FROM begin_batch()
"""

_ONCE = """
    INSERT INTO commands (command_id, first_position, last_position)
    SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[])
"""

_REFUSE_STALE = "SELECT refuse_stale(%b, %b)"

_INSERT = """
    INSERT INTO events (position, originator_id, originator_version, topic, state,
                        actor_id, request_id, traceparent)
    SELECT %s + n, id, version, topic, state, actor_id, request_id, traceparent
    FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[],
                %b::uuid[], %b::text[], %b::text[])
        WITH ORDINALITY AS new (id, version, topic, state, actor_id, request_id, traceparent, n)
"""

_COPY = """
    COPY events (position, originator_id, originator_version, topic, state,
                 actor_id, request_id, traceparent) FROM STDIN (FORMAT binary)
"""

_COMMIT = "COMMIT"

_REPEATED = "SELECT first_position, last_position FROM commands WHERE command_id = %s"

# After a failover the number may be another transaction's, or nobody's yet.
_COMMITTED = """
    SELECT CASE WHEN %(transaction)s::xid8 < pg_snapshot_xmax(pg_current_snapshot())
                THEN pg_xact_status(%(transaction)s::xid8) = 'committed' ELSE false END
       AND (SELECT count(*) FROM events JOIN
            unnest(%(positions)b::bigint[], %(ids)b::uuid[], %(versions)b::bigint[])
                AS ours (position, originator_id, originator_version)
            USING (position, originator_id, originator_version)) = %(size)s
"""


class _Commit(NamedTuple):
    """A commit of which we have not been told whether it took place."""

    transaction: str
    outcomes: Sequence[tuple[Append, Outcome]]


class AppendConnection:
    """Appends batches. Used by one thread at a time."""

    def __init__(self, pool: Pool, *, patience_s: float = PATIENCE_S) -> None:
        self._pool = pool
        self._patience_s = patience_s
        self._connection: Connection[TupleRow] | None = None
        self._hang_up: weakref.finalize[..., AppendConnection] | None = None
        self._batch: Sequence[Append] = ()
        self._commit: _Commit | None = None
        self._closed = False

    @property
    def unfinished(self) -> bool:
        """Whether a batch was drawn whose outcome is not known yet."""
        return bool(self._batch)

    def append(self, draw: Draw) -> None:
        """Record one batch, and settle each append of it.

        It takes at most `patience_s` and what a lock or a connection takes; then all who wait are
        told `psycopg.OperationalError`.
        """
        deadline, pause = time.monotonic() + self._patience_s, 0.0
        while True:
            try:
                return self._attempt(draw)
            except psycopg.Error as error:
                if not self._transient(error) or time.monotonic() > deadline:
                    return self._give_up(draw, error)
                logger.warning("append interrupted", error=str(error))
            except Exception as error:  # nobody is left to wait for ever
                self._give_up(draw, error)
                raise
            except BaseException:  # the next to lead finds out what became of the batch
                self.drop()
                raise
            self.drop()
            time.sleep(pause)
            pause = min(2 * pause + 0.01, 0.5)

    def drop(self) -> None:
        """Close the connection; the next append opens another."""
        if self._hang_up is not None:
            self._hang_up()
        self._connection = self._hang_up = None

    def close(self) -> None:
        """Close for good: who appends from now on is refused."""
        self._closed = True
        self.drop()

    def _attempt(self, draw: Draw) -> None:
        connection = self._open()
        head, transaction = _begin(connection)
        if self._commit is not None and _committed(connection, self._commit):
            connection.rollback()
            self._settle(self._commit.outcomes)
            return
        self._commit = None
        self._batch = [append for append in self._batch if not append.settled] or draw()
        if not self._batch:
            connection.rollback()
            return
        try:
            self._record(connection, head, transaction)
        except psycopg.Error as error:
            if connection.closed or hung_up(error):
                raise
            connection.rollback()
            self._commit = None
            self._record_each(connection)

    def _record(self, connection: Connection[TupleRow], head: int, transaction: str) -> None:
        """Record the batch in as few round trips as there can be, if there is nothing to refuse."""
        outcomes = _placed(self._batch, head)
        self._commit = _Commit(transaction, outcomes)
        if sum(len(append.rows) for append in self._batch) < COPY_ROWS_MIN:
            with connection.pipeline():
                _write(connection, outcomes)
                connection.execute(_COMMIT)
        else:
            _write(connection, outcomes)
            connection.execute(_COMMIT)
        self._settle(outcomes)

    def _record_each(self, connection: Connection[TupleRow]) -> None:
        """Record those of the batch that can be, each under a savepoint of its own."""
        head, transaction = _begin(connection)
        outcomes: list[tuple[Append, Outcome]] = []
        for append in self._batch:
            placed = _placed([append], head)
            try:
                with connection.transaction():
                    _write(connection, placed)
            except psycopg.Error as error:
                if connection.closed or hung_up(error):
                    raise
                outcomes.append((append, _refusal(connection, append, error)))
            else:
                outcomes += placed
                head += len(append.rows)
        self._commit = _Commit(transaction, outcomes)
        connection.execute(_COMMIT)
        self._settle(outcomes)

    def _settle(self, outcomes: Sequence[tuple[Append, Outcome]]) -> None:
        for append, outcome in outcomes:
            if not append.settled:  # unless we were interrupted here before
                append.settle(outcome)
        self._batch, self._commit = (), None

    def _give_up(self, draw: Draw, error: Exception) -> None:
        """Tell the batch; and all who wait, if they would fail alike."""
        in_doubt, everybody = self._commit is not None, not self._batch
        logger.error("append failed", error=str(error), in_doubt=in_doubt)
        told = error
        if isinstance(error, psycopg.Error) and self._transient(error):
            told, everybody = psycopg.OperationalError(f"nothing was recorded: {error}"), True
        self.drop()
        in_batch = told
        if in_doubt:
            in_batch = psycopg.OperationalError(f"perhaps it was recorded, perhaps not: {error}")
        self._settle([(append, in_batch) for append in self._batch])
        while everybody and (waiting := draw()):
            self._settle([(append, told) for append in waiting])

    def _transient(self, error: psycopg.Error) -> bool:
        """Whether it may go better over another connection."""
        if isinstance(error, PoolClosed):
            return False
        lost = self._connection is None or self._connection.closed
        return lost or isinstance(error, LockNotAvailable) or hung_up(error)

    def _open(self) -> Connection[TupleRow]:
        if self._closed or self._pool.closed:
            self.drop()
            raise PoolClosed("the recorder is closed")
        if self._connection is None or self._connection.closed:
            self.drop()
            connection = Connection[TupleRow].connect(
                conninfo() if callable(conninfo := self._pool.conninfo) else conninfo,
                autocommit=True,
                connect_timeout=_CONNECT_S_MAX,
                **_KEEPALIVES,
            )
            self._hang_up = weakref.finalize(self, _close, connection, os.getpid())
            self._connection = connection
            register_arrays(connection)
            connection.execute(_SET_UP)
        return self._connection


def _close(connection: Connection[TupleRow], pid: int) -> None:
    """Close a connection, unless it belongs to the process that we were forked from."""
    if os.getpid() == pid:
        connection.close()


def _begin(connection: Connection[TupleRow]) -> tuple[int, str]:
    """Return the last position and the number of the transaction, which holds the lock."""
    cursor = connection.execute(_BEGIN)
    cursor.nextset()
    ((head, transaction),) = cursor.fetchall()
    return head, transaction


def _placed(batch: Sequence[Append], head: int) -> list[tuple[Append, range]]:
    """Return each append with the positions that its events get behind `head`."""
    placed: list[tuple[Append, range]] = []
    for append in batch:
        positions = range(head + 1, head + 1 + len(append.rows))
        placed.append((append, positions))
        head = positions[-1]
    return placed


def _write(connection: Connection[TupleRow], placed: Sequence[tuple[Append, range]]) -> None:
    """Check and write; whatever fails, all fails."""
    once = [
        (pack_uuid(append.command_id), pack_bigint(at[0]), pack_bigint(at[-1]))
        for append, at in placed
        if append.command_id is not None
    ]
    if once:
        ids, firsts, lasts = zip(*once, strict=True)
        columns = (UUIDArray(ids), BigintArray(firsts), BigintArray(lasts))
        connection.execute(_ONCE, columns, prepare=True)
    read = [stream for append, _ in placed for stream in append.expect.items()]
    if read:
        ids, versions = zip(*read, strict=True)
        connection.execute(_REFUSE_STALE, (UUIDArray(ids), BigintArray(versions)), prepare=True)
    rows = [row for append, _ in placed for row in append.rows]
    head = placed[0][1][0] - 1
    if len(rows) < COPY_ROWS_MIN:
        connection.execute(_INSERT, (Int8(head), *arrays(rows)), prepare=True)
    else:
        with connection.cursor().copy(_COPY) as copy:
            copy.write(copy_rows(rows, head))


def _committed(connection: Connection[TupleRow], commit: _Commit) -> bool:
    """Whether the commit took place. Asked under the lock, which the commit has let go."""
    applied = [(append, at) for append, at in commit.outcomes if isinstance(at, range)]
    rows = [row for append, _ in applied for row in append.rows]
    answer = connection.execute(
        _COMMITTED,
        {
            "transaction": commit.transaction,
            "positions": BigintArray([pack_bigint(p) for _, at in applied for p in at]),
            "ids": UUIDArray([row[0] for row in rows]),
            "versions": BigintArray([row[1] for row in rows]),
            "size": len(rows),
        },
    ).fetchone()
    return answer == (True,)


def _refusal(connection: Connection[TupleRow], append: Append, error: psycopg.Error) -> Exception:
    """Return what an append is told that failed alone."""
    if isinstance(error, SerializationFailure):
        return IntegrityError("What was read has changed.")
    if isinstance(error, UniqueViolation):
        if error.diag.constraint_name == "one_event_per_version":
            return IntegrityError(str(error))
        if append.command_id is not None and error.diag.constraint_name == "commands_pkey":
            ((first, last),) = connection.execute(_REPEATED, (append.command_id,)).fetchall()
            return CommandRepeated(append.command_id, range(first, last + 1))
    return error
