"""The view log as those read it who follow it by position, be its days here or exported."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from domain.viewing.events import SlateServed, VideoViewed
from myriorama.store.objects import Objects
from myriorama.store.postgres import Pool
from myriorama.store.view_exports import Exports, ViewTable, dropped_upto
from projections.projection import Recorded, Window

_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"

_VIEWINGS = """
    SELECT position, recorded_at, viewer_id, video_id, decision_id, session_id, sequence,
           watched_ms, loops
    FROM viewings WHERE position > %s AND position <= %s ORDER BY position
"""

_SLATES = """
    SELECT position, recorded_at, decision_id, viewer_id, feed, before, video_ids, ranking::text,
           ads::text
    FROM slates WHERE position > %s AND position <= %s ORDER BY position
"""

_DROPPED_UPTO = """
    SELECT coalesce(max(last_position), 0) FROM exported_days WHERE dropped_at IS NOT NULL
"""

# As long as the transaction lasts, no day can be dropped.
_HOLD = "LOCK TABLE ONLY public.viewings, ONLY public.slates IN ACCESS SHARE MODE"

_SITUATION = """
    SELECT to_regclass('pg_temp.viewings') IS NOT NULL, (
        SELECT coalesce(max(last_position), 0) FROM exported_days WHERE dropped_at IS NOT NULL
    ), current_setting('transaction_isolation') = 'read committed'
"""

_UNSTAGE = "DROP TABLE IF EXISTS pg_temp.viewings, pg_temp.slates"

_STAGE = (
    "CREATE TEMP TABLE viewings (LIKE public.viewings) ON COMMIT DROP",
    "CREATE TEMP TABLE slates (LIKE public.slates) ON COMMIT DROP",
)

_STAGE_LIVE = (
    """INSERT INTO pg_temp.viewings
       SELECT * FROM public.viewings WHERE position > %s AND position <= %s""",
    """INSERT INTO pg_temp.slates
       SELECT * FROM public.slates WHERE position > %s AND position <= %s""",
)

_STAGE_VIEWINGS = """
    INSERT INTO pg_temp.viewings (position, recorded_at, viewer_id, video_id, decision_id,
                                  session_id, sequence, watched_ms, loops)
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::uuid[],
                         %s::uuid[], %s::bigint[], %s::integer[], %s::integer[])
"""

# Lists of lists must be of one length: as text, they need not be.
_STAGE_SLATES = """
    INSERT INTO pg_temp.slates (position, recorded_at, decision_id, viewer_id, feed, before,
                                video_ids, ranking, ads)
    SELECT position, recorded_at, decision_id, viewer_id, feed, before, video_ids::uuid[],
           ranking::json, ads::json
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[],
                %s::text[], %s::text[], %s::text[])
        AS served (position, recorded_at, decision_id, viewer_id, feed, before, video_ids, ranking,
                   ads)
"""


class ViewSource:
    """Reads the view log. Safe to share between threads."""

    channel = "viewings"

    def __init__(self, pool: Pool, objects: Objects) -> None:
        self._pool = pool
        self._exports = Exports(objects)

    def head(self) -> int:
        """Return the last position, 0 if there is none. It stays when days are dropped."""
        with self._pool.connection() as connection:
            row = connection.execute(_HEAD).fetchone()
        return row[0] if row else 0

    def read(self, after: int, limit: int, topics: Sequence[str]) -> Window:
        """Return the events of the topics among the `limit` positions behind `after`."""
        tables = _tables(topics)
        with self._pool.connection() as connection:
            head, dropped, live = _live(connection, tables, after, after + limit)
            upto = max(after, min(head, after + limit))
            if after < dropped:
                # In case a day was dropped while it was read, what was read is not looked at.
                upto = min(upto, dropped)
                found = {
                    table: self._exports.rows(connection, table, after, upto).rows()
                    for table in tables
                }
                events = [
                    *map(_exported_viewing, found.get("viewings", ())),
                    *map(_exported_slate, found.get("slates", ())),
                ]
            else:
                events = [
                    *(_viewing(*row) for row in live.get("viewings", ()) if row[0] <= upto),
                    *(_slate(*row) for row in live.get("slates", ()) if row[0] <= upto),
                ]
        if len(tables) > 1:
            events.sort(key=_position)
        return Window(events, upto)

    def stage(self, cursor: Cursor[TupleRow], after: int, upto: int) -> None:
        """Let `viewings` and `slates` show (after, upto] to the cursor's transaction.

        Where these days were dropped, temporary tables of those names stand before the log's own.
        """
        cursor.execute(_HOLD)
        staged, dropped, is_fresh = cursor.execute(_SITUATION).fetchone() or (False, 0, False)
        if not is_fresh:  # the transaction may have begun before the days were dropped
            with self._pool.connection() as connection:
                dropped = dropped_upto(connection)
        if staged:
            cursor.execute(_UNSTAGE)
        if after >= dropped:
            return
        for statement in _STAGE:
            cursor.execute(statement)
        if upto > dropped:
            for statement in _STAGE_LIVE:
                cursor.execute(statement, (dropped, upto))
        self._stage_exported(cursor, after, min(upto, dropped))

    def _stage_exported(self, cursor: Cursor[TupleRow], after: int, upto: int) -> None:
        with self._pool.connection() as connection:
            viewings = self._exports.rows(connection, "viewings", after, upto)
            slates = self._exports.rows(connection, "slates", after, upto)
        if len(viewings):
            cursor.execute(_STAGE_VIEWINGS, [column.to_list() for column in viewings])
        if len(slates):
            *columns, video_ids, rankings, ads = (column.to_list() for column in slates)
            arrays = [f"{{{','.join(ids)}}}" for ids in video_ids]
            cursor.execute(_STAGE_SLATES, [*columns, arrays, rankings, ads])


def _tables(topics: Sequence[str]) -> list[ViewTable]:
    wanted: Mapping[str, ViewTable] = {VideoViewed.TOPIC: "viewings", SlateServed.TOPIC: "slates"}
    return [table for topic, table in wanted.items() if topic in topics]


def _live(
    connection: Connection[TupleRow], tables: Sequence[ViewTable], after: int, upto: int
) -> tuple[int, int, Mapping[ViewTable, Sequence[TupleRow]]]:
    """Return the head, the rows that are here, and up to where they may lie elsewhere.

    In this order: what is below the head can be seen by what is read after it, and what had not
    been dropped by the end was there before.
    """
    with connection.pipeline():
        head = connection.execute(_HEAD)
        cursors: dict[ViewTable, Cursor[TupleRow]] = {
            table: connection.cursor(binary=True) for table in tables
        }
        for table, cursor in cursors.items():
            cursor.execute(_VIEWINGS if table == "viewings" else _SLATES, (after, upto))
        dropped = connection.execute(_DROPPED_UPTO)
    (last,), (gone,) = head.fetchone() or (0,), dropped.fetchone() or (0,)
    rows: dict[ViewTable, Sequence[TupleRow]] = {}
    for table, cursor in cursors.items():
        rows[table] = cursor.fetchall()
    return last, gone, rows


def _viewing(position: int, recorded_at: Any, *viewed: Any) -> Recorded[Any]:
    return Recorded(position, recorded_at, VideoViewed(*viewed))


def _slate(position: int, recorded_at: Any, *served: Any) -> Recorded[Any]:
    decision_id, viewer_id, feed, before, video_ids, ranking, ads = served
    event = SlateServed(decision_id, viewer_id, feed, before, tuple(video_ids), ranking, ads)
    return Recorded(position, recorded_at, event)


def _exported_viewing(row: Sequence[Any]) -> Recorded[Any]:
    position, recorded_at, *ids, sequence, watched_ms, loops = row
    return _viewing(position, recorded_at, *map(UUID, ids), sequence, watched_ms, loops)


def _exported_slate(row: Sequence[Any]) -> Recorded[Any]:
    position, recorded_at, decision_id, viewer_id, feed, before, video_ids, ranking, ads = row
    ids = (UUID(decision_id), UUID(viewer_id))
    return _slate(position, recorded_at, *ids, feed, before, map(UUID, video_ids), ranking, ads)


def _position(recorded: Recorded[Any]) -> int:
    return recorded.position
