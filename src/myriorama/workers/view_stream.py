"""The view log as records for Kafka: frames of up to 1000 rows, as Arrow streams."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, LiteralString

import polars as pl
from polars import DataFrame
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.store.postgres import AdvisoryLock
from myriorama.store.transactions import RECORD_BYTES_MAX, Headers, Place, Record
from myriorama.store.view_exports import SCHEMAS, Exports, ViewTable, dropped_upto
from myriorama.workers.public_streams import POSITION_HEADER, Stretch

CONTENT_TYPE = b"application/vnd.apache.arrow.stream"
FRAME_ROWS_MAX = 1_000

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
               decision_id, viewer_id, feed, before, array_to_string(video_ids, ' '), ranking, ads
        FROM slates WHERE position > %(after)s AND position <= %(upto)s ORDER BY position
    ) TO STDOUT (FORMAT csv)
"""

# Each goes to the topic of its name.
_TABLES: Mapping[ViewTable, LiteralString] = {"viewings": _VIEWINGS, "slates": _SLATES}

# How slates and ads were decided is long: what one transaction carries of it is bounded, too.
_HEAVY = """
    SELECT min(position) FROM (
        SELECT position, sum(
            coalesce(pg_column_size(ranking), 0) + coalesce(pg_column_size(ads), 0)
        ) OVER (ORDER BY position) AS size
        FROM slates
        WHERE position > %s AND position <= %s AND (ranking IS NOT NULL OR ads IS NOT NULL)
    ) AS decided
    WHERE size > %s
"""
_DECIDED_BYTES_MAX = 16 * 2**20

_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"


class ViewStream:
    """The view log: a topic of one partition for each of its tables, in the order of positions."""

    log: str = "views"
    channel: str = "viewings"
    lock: AdvisoryLock = AdvisoryLock.VIEW_RELAY
    topics: Mapping[str, int] = dict.fromkeys(_TABLES, 1)

    def __init__(self, exports: Exports, *, rows_max: int = 20_000) -> None:
        """Take where dropped days lie, and how many rows one transaction carries at most."""
        self._exports = exports
        self._rows_max = rows_max

    def read(
        self,
        connection: Connection[TupleRow],
        after: int,
        partitions: Mapping[str, int],
        relayed: Mapping[Place, int],
    ) -> Stretch:
        row = connection.execute(_HEAD).fetchone()
        head = max(after, row[0] if row else 0)
        upto = min(head, after + self._rows_max)
        heavy = connection.execute(_HEAVY, (after, upto, _DECIDED_BYTES_MAX)).fetchone()
        upto = heavy[0] if heavy and heavy[0] else upto
        found = {table: _live(connection, table, after, upto) for table in _TABLES}
        # Asked afterwards: in case a day was dropped while it was read, that is not looked at.
        if after < upto and after < (dropped := dropped_upto(connection)):
            upto = min(upto, dropped)
            found = {table: self._exports.rows(connection, table, after, upto) for table in _TABLES}
        records = [
            record
            for table, rows in found.items()
            if table in partitions
            # If somebody gave it more partitions, the order of positions is kept all the same.
            for record in _frames(Place(table, 0), rows, relayed)
        ]
        return Stretch(records, upto - after, upto, head)


def _live(connection: Connection[TupleRow], table: ViewTable, after: int, upto: int) -> DataFrame:
    bounds = {"after": after, "upto": upto}
    with connection.cursor() as cursor, cursor.copy(_TABLES[table], bounds) as copy:
        lines = b"".join(copy)
    schema = SCHEMAS[table]
    if not lines:
        return DataFrame(schema=dict(schema))
    plain: dict[str, Any] = {"recorded_at": pl.Int64, "video_ids": pl.String}
    text = {name: plain.get(name, kind) for name, kind in schema.items()}
    rows = pl.read_csv(BytesIO(lines), has_header=False, schema=text)
    times = pl.col("recorded_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if table == "viewings":
        return rows.with_columns(times)
    named = pl.element().filter(pl.element() != "")
    ids = pl.col("video_ids").fill_null("").str.split(" ").list.eval(named)
    return rows.with_columns(times, ids)


def _frames(place: Place, rows: DataFrame, relayed: Mapping[Place, int]) -> Iterator[Record]:
    if place in relayed:
        rows = rows.filter(pl.col("position") > relayed[place])
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
