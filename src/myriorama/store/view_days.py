"""The days of the view log: tables are made ahead, finished days leave for Parquet.

May be killed at any line, and done again: an export is put again until it is on record, and a day
is dropped with its record in one transaction. What is dropped was read back from the store before.
"""

import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, get_args

import polars as pl
import psycopg
import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow, class_row
from psycopg.sql import SQL, Identifier

from myriorama.store.objects import Objects
from myriorama.store.postgres import AdvisoryLock
from myriorama.store.view_exports import SCHEMAS, Export, ViewTable

logger = structlog.get_logger(__name__)

DAYS_AHEAD = 3

# As long as no app can still send a report again: twice as long as its view tokens live.
_BATCHES_KEPT = timedelta(days=2)
_FORGOTTEN_AT_ONCE = 10_000
_ROW_GROUP = 20_000
_MEDIA_TYPE = "application/vnd.apache.parquet"

_LEAD = "SELECT pg_try_advisory_lock(%s)"
_FOLLOW = "SELECT pg_advisory_unlock(%s)"

# Who holds rows of the log open for long is not interrupted: a minute later is early enough, and
# nobody else waits behind us for longer than this.
_SESSION = "SET lock_timeout = '200ms'"

_ADOPT = "SELECT adopt_unforeseen_view_days()"
_MAKE = "SELECT make_view_day(%s)"

# No more is recorded on a day that the log has left behind, since its time never goes back.
_FINISHED = """
    SELECT first, (first AT TIME ZONE 'UTC')::date AS day FROM view_days()
    WHERE behind <= %s
      AND behind <= (SELECT recorded_at FROM view_appends ORDER BY last_position DESC LIMIT 1)
    ORDER BY first
"""

_EXTENT = "SELECT count(*), min(position), max(position) FROM {}"

_ROWS: Mapping[ViewTable, LiteralString] = {
    "viewings": """
        COPY (SELECT position, (extract(epoch FROM recorded_at) * 1000000)::bigint, viewer_id,
                     video_id, decision_id, session_id, sequence, watched_ms, loops
              FROM {} ORDER BY position) TO STDOUT (FORMAT csv)
    """,
    "slates": """
        COPY (SELECT position, (extract(epoch FROM recorded_at) * 1000000)::bigint, decision_id,
                     viewer_id, feed, before, array_to_string(video_ids, ' '), ranking, ads
              FROM {} ORDER BY position) TO STDOUT (FORMAT csv)
    """,
}

_EXPORTED = """
    SELECT day, log_table, first_position, last_position, row_count, object_key, sha256
    FROM exported_days WHERE day = %s AND log_table = %s
"""

_RECORD = """
    INSERT INTO exported_days (day, log_table, first_position, last_position, row_count,
                               object_key, sha256)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

_PASSED = """
    SELECT coalesce(min(coalesce(position, 0)), %s)
    FROM unnest(%s::text[]) AS name LEFT JOIN projection_positions USING (name)
"""

_LOCK_WHOLE = "LOCK TABLE ONLY viewings, ONLY slates"
_DETACH = "ALTER TABLE {} DETACH PARTITION {}"
_DROP = "DROP TABLE {}"
_DROPPED = (
    "UPDATE exported_days SET dropped_at = clock_timestamp() WHERE day = %s AND dropped_at IS NULL"
)

_AS_RECORDER = "SET LOCAL ROLE myriorama_recorder"

_FORGET_BATCHES = """
    DELETE FROM viewing_batches WHERE (viewer_id, session_id, sequence) IN (
        SELECT viewer_id, session_id, sequence FROM viewing_batches
        WHERE recorded_at < %s ORDER BY recorded_at LIMIT %s
    )
"""

# The oldest come first in the order of positions, too; the last one is the head of the log.
_FORGET_APPENDS = """
    DELETE FROM view_appends WHERE recorded_at < %s AND last_position IN (
        SELECT last_position FROM view_appends
        WHERE last_position < (SELECT max(last_position) FROM view_appends)
        ORDER BY last_position LIMIT %s
    )
"""

_DAYS_DROPPED = Counter("myriorama_view_days_dropped", "Days of the view log exported and dropped")
_WAITING = Gauge(
    "myriorama_view_days_waiting", "Days that are due to leave, for which a projection is too late"
)


class ExportDiffers(Exception):
    """What was exported, or is in the table by now, is not what should be. Nothing is dropped."""


class _Day(NamedTuple):
    """A finished day, or several that have one table."""

    first: datetime
    day: date

    def table(self, whole: ViewTable) -> str:
        return f"{whole}_{self.first.astimezone(UTC):%Y%m%d}"

    def key(self, whole: ViewTable) -> str:
        return f"exports/{whole}/{self.day.isoformat()}.parquet"


class ViewDays:
    """Tends the days, one process at a time: a second one does nothing."""

    def __init__(
        self, url: str, objects: Objects, *, projections: Sequence[str], kept: timedelta
    ) -> None:
        """Take the collaborators.

        Args:
            url: PostgreSQL.
            objects: where days are exported to.
            projections: the names of those that fold the view log.
            kept: how long a finished day stays in PostgreSQL.
        """
        self._url = url
        self._objects = objects
        self._projections = list(projections)
        self._kept = kept
        self._aside: threading.Thread | None = None

    def tend_aside(self, at: datetime) -> None:
        """Tend the days in a thread, unless it is still at it: a full day takes minutes."""
        if self._aside is None or not self._aside.is_alive():
            self._aside = threading.Thread(
                target=self._tend_safely, args=(at,), name="view days", daemon=True
            )
            self._aside.start()

    def tend(self, at: datetime) -> None:
        """Make what is needed next, export and drop what is due, and forget what is of no use."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(_SESSION)
            if not (connection.execute(_LEAD, (AdvisoryLock.VIEW_DAYS,)).fetchone() or (False,))[0]:
                return
            try:
                _forget(connection, at - _BATCHES_KEPT)
                self._make(connection, at)
                self._leave(connection, at)
            except LockNotAvailable:
                logger.info("the days of the view log wait for somebody who reads them")
            finally:
                connection.execute(_FOLLOW, (AdvisoryLock.VIEW_DAYS,))

    def _tend_safely(self, at: datetime) -> None:
        try:
            self.tend(at)
        except psycopg.OperationalError as error:
            logger.warning("the days of the view log wait for PostgreSQL", error=str(error))
        except Exception:
            logger.exception("the days of the view log are not tended")

    def _make(self, connection: Connection[TupleRow], at: datetime) -> None:
        connection.execute(_ADOPT)
        today = at.astimezone(UTC).date()
        for ahead in range(DAYS_AHEAD + 1):
            connection.execute(_MAKE, (today + timedelta(days=ahead),))

    def _leave(self, connection: Connection[TupleRow], at: datetime) -> None:
        """Export the days that are due, and drop them in their order as far as that may be."""
        with connection.cursor(row_factory=class_row(_Day)) as cursor:
            due = cursor.execute(_FINISHED, (at - self._kept,)).fetchall()
        for number, day in enumerate(due):
            exports = [self._export(connection, day, table) for table in get_args(ViewTable)]
            last = max((export.last_position for export in exports if export), default=0)
            passed = connection.execute(_PASSED, (last, self._projections)).fetchone()
            if passed is None or passed[0] < last:
                _WAITING.set(len(due) - number)
                return
            _drop(connection, day)
            logger.info("a day of the view log was dropped", day=str(day.day), upto=last)
        _WAITING.set(0)

    def _export(
        self, connection: Connection[TupleRow], day: _Day, table: ViewTable
    ) -> Export | None:
        """Export one table of a day, unless that was done before; None if it is empty."""
        part = Identifier(day.table(table))
        row = connection.execute(SQL(_EXTENT).format(part)).fetchone()
        count, first, last = row or (0, 0, 0)
        if count == 0:
            return None
        with connection.cursor(row_factory=class_row(Export)) as cursor:
            export = cursor.execute(_EXPORTED, (day.day, table)).fetchone()
        if export is None:
            with tempfile.TemporaryDirectory(prefix="myriorama-export-") as folder:
                key, path = day.key(table), Path(folder) / "day.parquet"
                _write(connection, day, table, path)
                self._objects.put(key, path, media_type=_MEDIA_TYPE)
                export = Export(day.day, table, first, last, count, key, _digest(path))
                self._verify(export, Path(folder) / "read.parquet")
            connection.execute(_RECORD, export)
        if (export.row_count, export.first_position, export.last_position) != (count, first, last):
            raise ExportDiffers(f"{day.table(table)} is not what was exported")
        return export

    def _verify(self, export: Export, path: Path) -> None:
        """Read back what the store has."""
        with path.open("wb") as target:
            for chunk in self._objects.stream(export.object_key):
                target.write(chunk)
        position = pl.col("position")
        found = pl.scan_parquet(path).select(pl.len(), position.min(), position.max().alias("max"))
        extent = (export.row_count, export.first_position, export.last_position)
        if _digest(path) != export.sha256 or found.collect().row(0) != extent:
            raise ExportDiffers(f"{export.object_key} was not stored as it was written")


def _write(connection: Connection[TupleRow], day: _Day, table: ViewTable, path: Path) -> None:
    """Write one table of a day as Parquet, by way of the disk: it need not fit into memory."""
    lines = path.with_suffix(".csv")
    query = SQL(_ROWS[table]).format(Identifier(day.table(table)))
    with lines.open("wb") as target, connection.cursor().copy(query) as copy:
        for block in copy:
            target.write(block)
    schema = SCHEMAS[table]
    plain: Mapping[str, Any] = {"recorded_at": pl.Int64, "video_ids": pl.String}
    rows = pl.scan_csv(
        lines,
        has_header=False,
        schema={name: plain.get(name, kind) for name, kind in schema.items()},
    ).with_columns(pl.col("recorded_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    if "video_ids" in schema:
        ids = pl.col("video_ids")
        empty = pl.lit([], dtype=pl.List(pl.String))
        some = ids.fill_null("").str.len_bytes() > 0
        rows = rows.with_columns(pl.when(some).then(ids.str.split(" ")).otherwise(empty))
    rows.sink_parquet(path, compression="zstd", row_group_size=_ROW_GROUP)


def _drop(connection: Connection[TupleRow], day: _Day) -> None:
    """Drop the tables of a day, together with what tells readers to look elsewhere."""
    with connection.transaction():
        connection.execute(_LOCK_WHOLE)
        for table in get_args(ViewTable):
            part = Identifier(day.table(table))
            connection.execute(SQL(_DETACH).format(Identifier(table), part))
            connection.execute(SQL(_DROP).format(part))
        connection.execute(_DROPPED, (day.day,))
    _DAYS_DROPPED.inc()


def _forget(connection: Connection[TupleRow], before: datetime) -> None:
    """Forget the names of batches and appends that nobody can send again."""
    for query in (_FORGET_BATCHES, _FORGET_APPENDS):
        forgotten = _FORGOTTEN_AT_ONCE
        while forgotten == _FORGOTTEN_AT_ONCE:
            with connection.transaction():
                connection.execute(_AS_RECORDER)
                forgotten = connection.execute(query, (before, _FORGOTTEN_AT_ONCE)).rowcount


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
