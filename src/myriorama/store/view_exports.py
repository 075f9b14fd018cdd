"""The days of the view log that lie in the object store, as Parquet that polars and others read."""

import os
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from myriorama.store.objects import Objects

ViewTable = Literal["viewings", "slates"]

_TIME = pl.Datetime("us", "UTC")
SCHEMAS: Mapping[ViewTable, Mapping[str, Any]] = {
    "viewings": {
        "position": pl.Int64,
        "recorded_at": _TIME,
        "viewer_id": pl.String,
        "video_id": pl.String,
        "decision_id": pl.String,
        "session_id": pl.String,
        "sequence": pl.Int64,
        "watched_ms": pl.Int64,
        "loops": pl.Int64,
    },
    "slates": {
        "position": pl.Int64,
        "recorded_at": _TIME,
        "decision_id": pl.String,
        "viewer_id": pl.String,
        "feed": pl.String,
        "before": pl.Int64,
        "video_ids": pl.List(pl.String),
        "ranking": pl.String,
        "ads": pl.String,
    },
}
"""The columns of an exported day. IDs are text, `ranking` and `ads` are JSON text."""

_FILES_MAX = 4

_DROPPED = """
    SELECT day, log_table, first_position, last_position, row_count, object_key, sha256
    FROM exported_days WHERE dropped_at IS NOT NULL AND last_position > %s AND first_position <= %s
    ORDER BY first_position
"""

_DROPPED_UPTO = """
    SELECT coalesce(max(last_position), 0) FROM exported_days WHERE dropped_at IS NOT NULL
"""


# A file may hold several days: it is behind a time where the next one is not before it.
_DROPPED_BEFORE = """
    SELECT coalesce(max(last_position), 0) FROM (
        SELECT last_position, dropped_at,
               lead(day) OVER (PARTITION BY log_table ORDER BY first_position) AS next_day
        FROM exported_days
    ) AS exported
    WHERE dropped_at IS NOT NULL AND next_day::timestamp AT TIME ZONE 'UTC' <= %s
"""


class ExportDamaged(Exception):
    """What lies in the object store is not what was exported."""


class Export(NamedTuple):
    """One table of one day, as it was exported."""

    day: date
    log_table: ViewTable
    first_position: int
    last_position: int
    row_count: int
    object_key: str
    sha256: str


def dropped_upto(connection: Connection[TupleRow]) -> int:
    """Return the position up to which the log lies in the object store alone."""
    row = connection.execute(_DROPPED_UPTO).fetchone()
    return row[0] if row else 0


def dropped_before(connection: Connection[TupleRow], time: datetime) -> int:
    """Return a position up to which all was recorded before a time, and then dropped."""
    row = connection.execute(_DROPPED_BEFORE, (time,)).fetchone()
    return row[0] if row else 0


class Exports:
    """Reads the positions whose days were dropped. Safe to share between threads."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._files: OrderedDict[str, Path] = OrderedDict()
        self._reading = threading.Lock()
        weakref.finalize(self, _remove, self._files)

    def rows(
        self, connection: Connection[TupleRow], table: ViewTable, after: int, upto: int
    ) -> pl.DataFrame:
        """Return the rows at the positions (after, upto] of which the days were dropped.

        Raises:
            ExportDamaged: an object is not as it was when it was exported.
            ObjectNotFound: it is not there.
        """
        with connection.cursor(row_factory=class_row(Export)) as cursor:
            exports = cursor.execute(_DROPPED, (after, upto)).fetchall()
        return self._between([e for e in exports if e.log_table == table], table, after, upto)

    def _between(
        self, exports: Sequence[Export], table: ViewTable, after: int, upto: int
    ) -> pl.DataFrame:
        position = pl.col("position")
        found = [pl.DataFrame(schema=dict(SCHEMAS[table]))]
        with self._reading:
            found += [
                pl.scan_parquet(self._file(export))
                .filter((position > after) & (position <= upto))
                .collect()
                for export in exports
            ]
        # A day that was exported before there was a column has nothing in it.
        return pl.concat(found, how="diagonal")

    def _file(self, export: Export) -> Path:
        """Return the path of the export on this machine."""
        if (path := self._files.get(export.sha256)) is not None:
            self._files.move_to_end(export.sha256)
            return path
        descriptor, name = tempfile.mkstemp(prefix="myriorama-", suffix=".parquet")
        path = Path(name)
        try:
            self._fetch(export, descriptor)
        except BaseException:
            path.unlink()
            raise
        self._files[export.sha256] = path
        while len(self._files) > _FILES_MAX:
            self._files.popitem(last=False)[1].unlink(missing_ok=True)
        return path

    def _fetch(self, export: Export, descriptor: int) -> None:
        digest = sha256()
        with os.fdopen(descriptor, "wb") as target:
            for chunk in self._objects.stream(export.object_key):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != export.sha256:
            raise ExportDamaged(f"{export.object_key} is not what was exported")


def _remove(files: OrderedDict[str, Path]) -> None:
    for path in files.values():
        path.unlink(missing_ok=True)
