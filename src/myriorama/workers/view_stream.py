"""The view log as records for Kafka: frames of up to 1000 rows, as Arrow streams."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import ClassVar, LiteralString, NamedTuple, Protocol

import polars as pl
from polars import DataFrame
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from myriorama.store.postgres import AdvisoryLock
from myriorama.store.transactions import RECORD_BYTES_MAX, Headers, Place, Record
from myriorama.workers.public_streams import POSITION_HEADER, Stretch

CONTENT_TYPE = b"application/vnd.apache.arrow.stream"
FRAME_ROWS_MAX = 1_000

_WINDOW_ROWS_MAX = 20_000
_FRAME_BYTES_MAX = RECORD_BYTES_MAX - 500

_VIEWINGS = """
    COPY (
        SELECT position, (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_at,
               viewer_id, video_id, decision_id, session_id, sequence, watched_ms, loops
        FROM viewings WHERE position > %(after)s AND position <= %(upto)s ORDER BY position
    ) TO STDOUT (FORMAT csv)
"""

_SLATES = """
    COPY (
        SELECT position, (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_at,
               decision_id, viewer_id, feed, before, array_to_string(video_ids, ' ')
        FROM slates WHERE position > %(after)s AND position <= %(upto)s ORDER BY position
    ) TO STDOUT (FORMAT csv)
"""

_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"


class _Table(NamedTuple):
    """A table of the view log, and the columns under which it leaves."""

    topic: str
    rows: LiteralString
    columns: Mapping[str, type[pl.DataType]]


_TABLES = (
    _Table(
        "viewings",
        _VIEWINGS,
        {
            "position": pl.Int64,
            "recorded_at": pl.Int64,
            "viewer_id": pl.String,
            "video_id": pl.String,
            "decision_id": pl.String,
            "session_id": pl.String,
            "sequence": pl.Int64,
            "watched_ms": pl.Int64,
            "loops": pl.Int64,
        },
    ),
    _Table(
        "slates",
        _SLATES,
        {
            "position": pl.Int64,
            "recorded_at": pl.Int64,
            "decision_id": pl.String,
            "viewer_id": pl.String,
            "feed": pl.String,
            "before": pl.Int64,
            "video_ids": pl.String,
        },
    ),
)


class Stage(Protocol):
    """Makes what was exported readable where it was: `ViewSource.stage`."""

    def __call__(self, cursor: Cursor[TupleRow], after: int, upto: int) -> None: ...


class ViewStream:
    """The view log: a topic of one partition for each of its tables, in the order of positions."""

    log: ClassVar = "views"
    channel: ClassVar = "viewings"
    lock: ClassVar = AdvisoryLock.VIEW_RELAY
    topics: ClassVar[Mapping[str, int]] = dict.fromkeys((table.topic for table in _TABLES), 1)

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def read(
        self,
        connection: Connection[TupleRow],
        after: int,
        partitions: Mapping[str, int],
        relayed: Mapping[Place, int],
    ) -> Stretch:
        row = connection.execute(_HEAD).fetchone()
        head = max(after, row[0] if row else 0)
        upto = min(head, after + _WINDOW_ROWS_MAX)
        if upto == after:
            return Stretch([], 0, after, head)
        records: list[Record] = []
        with connection.transaction(), connection.cursor() as cursor:
            self._stage(cursor, after, upto)
            for table in _TABLES:
                # If somebody gave it more partitions, the order of positions is kept all the same.
                place = Place(table.topic, 0)
                bounds = {"after": max(after, relayed.get(place, 0)), "upto": upto}
                if bounds["after"] < upto and table.topic in partitions:
                    records += _frames(place, _rows(cursor, table, bounds))
        return Stretch(records, upto - after, upto, head)


def _rows(cursor: Cursor[TupleRow], table: _Table, bounds: Mapping[str, int]) -> DataFrame:
    with cursor.copy(table.rows, bounds) as copy:
        lines = b"".join(copy)
    if not lines:
        return DataFrame()
    rows = pl.read_csv(BytesIO(lines), has_header=False, schema=table.columns)
    rows = rows.with_columns(
        pl.col("recorded_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )
    if "video_ids" not in rows.columns:
        return rows
    named = pl.element().filter(pl.element() != "")
    ids = pl.col("video_ids").fill_null("").str.split(" ")
    return rows.with_columns(ids.list.eval(named))


def _frames(place: Place, rows: DataFrame) -> Iterator[Record]:
    for frame in rows.iter_slices(FRAME_ROWS_MAX):
        yield from _records(place, frame)


def _records(place: Place, frame: DataFrame) -> Iterator[Record]:
    content = BytesIO()
    # What any reader of Arrow knows, not what is newest.
    frame.write_ipc_stream(content, compression="zstd", compat_level=pl.CompatLevel.oldest())
    value = content.getvalue()
    if len(value) > _FRAME_BYTES_MAX and len(frame) > 1:
        half = len(frame) // 2
        yield from _records(place, frame[:half])
        yield from _records(place, frame[half:])
        return
    headers: Headers = [
        (POSITION_HEADER, b"views:%d" % frame["position"][-1]),
        ("content-type", CONTENT_TYPE),
    ]
    yield Record(place, None, value, headers)
