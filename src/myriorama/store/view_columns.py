"""The view log as columns: what a fold over millions of rows reads, be its days here or exported.

PostgreSQL packs each column of a stretch into one value, so that no row becomes an object here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.store.objects import Objects
from myriorama.store.postgres import Pool
from myriorama.store.view_exports import Exports, dropped_upto
from ranking.views import IDs, Slates, ViewColumns, Viewings

# In one snapshot with what is read: what is below the head can be seen.
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"

_VIEWINGS = """
    SELECT string_agg(int8send(position), ''::bytea),
           string_agg(int8send((extract(epoch FROM recorded_at) * 1000000)::bigint), ''::bytea),
           string_agg(uuid_send(viewer_id), ''::bytea), string_agg(uuid_send(video_id), ''::bytea),
           string_agg(uuid_send(decision_id), ''::bytea),
           string_agg(int4send(watched_ms), ''::bytea), string_agg(int4send(loops), ''::bytea)
    FROM (SELECT * FROM viewings WHERE position > %s AND position <= %s ORDER BY position) AS viewed
"""

_SLATES = """
    SELECT string_agg(int8send(position), ''::bytea),
           string_agg(int8send((extract(epoch FROM recorded_at) * 1000000)::bigint), ''::bytea),
           string_agg(uuid_send(decision_id), ''::bytea),
           string_agg(uuid_send(viewer_id), ''::bytea), array_agg(feed),
           string_agg(int8send(coalesce(before, -1)), ''::bytea),
           string_agg(int4send(cardinality(video_ids)), ''::bytea),
           string_agg((SELECT string_agg(uuid_send(video_id), ''::bytea ORDER BY place)
                       FROM unnest(video_ids) WITH ORDINALITY AS on_page (video_id, place)),
                      ''::bytea)
    FROM (SELECT * FROM slates WHERE position > %s AND position <= %s ORDER BY position) AS served
"""


class ViewColumnSource:
    """Reads stretches of the view log. Safe to share between threads."""

    def __init__(self, pool: Pool, objects: Objects) -> None:
        self._pool = pool
        self._exports = Exports(objects)

    def head(self) -> int:
        """Return the last position, 0 if there is none."""
        with self._pool.connection() as connection:
            row = connection.execute(_HEAD).fetchone()
        return row[0] if row else 0

    def read(self, after: int, upto: int) -> tuple[ViewColumns, int]:
        """Return what stands behind `after`, and up to where: `upto`, or where dropped days end.

        The caller has seen the head at or behind `upto`.
        """
        with self._pool.connection() as connection:
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                cursor.execute(_SNAPSHOT)
                viewings = cursor.execute(_VIEWINGS, (after, upto)).fetchone() or ()
                slates = cursor.execute(_SLATES, (after, upto)).fetchone() or ()
            # Asked afterwards: in case a day was dropped while it was read, that is not looked at.
            dropped = dropped_upto(connection)
            if after < dropped:
                upto = min(upto, dropped)
                return self._exported(connection, after, upto), upto
        return ViewColumns(_live_viewings(viewings), _live_slates(slates)), upto

    def _exported(self, connection: Connection[TupleRow], after: int, upto: int) -> ViewColumns:
        viewings = self._exports.rows(connection, "viewings", after, upto)
        slates = self._exports.rows(connection, "slates", after, upto)
        return ViewColumns(
            Viewings(
                position=viewings["position"].to_numpy(),
                at_ms=_ms(viewings),
                viewer=_ids(viewings["viewer_id"]),
                video=_ids(viewings["video_id"]),
                decision=_ids(viewings["decision_id"]),
                watched_ms=viewings["watched_ms"].to_numpy().astype(np.int32),
                loops=viewings["loops"].to_numpy().astype(np.int32),
            ),
            Slates(
                position=slates["position"].to_numpy(),
                at_ms=_ms(slates),
                decision=_ids(slates["decision_id"]),
                viewer=_ids(slates["viewer_id"]),
                feed=slates["feed"].to_list(),
                before=slates["before"].fill_null(-1).to_numpy(),
                counts=slates["video_ids"].list.len().to_numpy().astype(np.int32),
                videos=_ids(slates["video_ids"].explode().drop_nulls()),
            ),
        )


def _live_viewings(columns: Sequence[Any]) -> Viewings:
    position, micros, viewer, video, decision, watched_ms, loops = (c or b"" for c in columns)
    return Viewings(
        position=_long(position),
        at_ms=_long(micros) // 1000,
        viewer=_packed(viewer),
        video=_packed(video),
        decision=_packed(decision),
        watched_ms=_short(watched_ms),
        loops=_short(loops),
    )


def _live_slates(columns: Sequence[Any]) -> Slates:
    feed: list[str] = columns[4] or []
    position, micros, decision, viewer, _, before, counts, videos = (c or b"" for c in columns)
    return Slates(
        position=_long(position),
        at_ms=_long(micros) // 1000,
        decision=_packed(decision),
        viewer=_packed(viewer),
        feed=feed,
        before=_long(before),
        counts=_short(counts),
        videos=_packed(videos),
    )


def _long(packed: bytes) -> NDArray[np.int64]:
    return np.frombuffer(packed, ">i8").astype(np.int64)


def _short(packed: bytes) -> NDArray[np.int32]:
    return np.frombuffer(packed, ">i4").astype(np.int32)


def _ms(rows: pl.DataFrame) -> NDArray[np.int64]:
    return rows["recorded_at"].dt.epoch("us").to_numpy().astype(np.int64) // 1000


def _packed(ids: bytes) -> IDs:
    return np.frombuffer(ids, "V16")


def _ids(column: "pl.Series") -> IDs:
    """Return UUIDs that are text."""
    return _packed(bytes.fromhex("".join(column.to_list()).replace("-", "")))
