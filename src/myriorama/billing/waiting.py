"""Reports that wait: of any ad until its decision is on record, and of clicks until their view.

A page is answered before it is logged, so a report may be ahead of the record of its ad by moments.
The record of a server that was killed never comes: what is not on record is billed to nobody.
"""

from collections.abc import Sequence
from typing import Literal, LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.billing.reports import Reports
from myriorama.store.view_arrays import UUIDs

RECORD_MS = 30_000
"""So long behind a report all that was shown before it is in the view log, or will never be.

The writer of the log takes 0.2 s, and while PostgreSQL is away some 10 s more for the connection
and as long for the lock; then it drops what it holds (`store/view_writer.py`).
"""

_AT_ONCE = 10_000

_UNRECORDED = """
    SELECT n::integer - 1 FROM unnest(%s) WITH ORDINALITY AS reported (decision_id, n)
    WHERE NOT EXISTS (
        SELECT FROM ad_decisions d WHERE d.ad_decision_id = reported.decision_id
    )
"""

_WAIT = """
    INSERT INTO waiting_reports (decision_id, beacon, position, recorded_ms, expires_ms, token,
                                 awaits)
    SELECT *, %s FROM unnest(%s, %s, %s, %s, %s, %s::bytea[]) ON CONFLICT DO NOTHING
"""

# All that was logged before the first append that is not projected yet is projected. One snapshot
# shows the position and the decisions up to it.
_RESOLVED = """
    WITH projected AS MATERIALIZED (
        SELECT coalesce((
            SELECT floor(extract(epoch FROM recorded_at) * 1000)::bigint FROM view_appends
            WHERE last_position > coalesce(
                (SELECT position FROM projection_positions WHERE name = 'ad_decisions'), 0
            )
            ORDER BY last_position LIMIT 1
        ), %s::bigint) AS until_ms
    ), oldest AS (
        SELECT decision_id, beacon, EXISTS (
            SELECT FROM ad_decisions d WHERE d.ad_decision_id = waiting_reports.decision_id
        ) AS is_recorded
        FROM waiting_reports WHERE awaits = 'record' ORDER BY recorded_ms LIMIT %s
    )
    DELETE FROM waiting_reports AS waiting USING oldest, projected
    WHERE (waiting.decision_id, waiting.beacon) = (oldest.decision_id, oldest.beacon)
      AND (is_recorded OR recorded_ms + %s <= until_ms)
    RETURNING position, recorded_ms, waiting.beacon,
              CASE WHEN NOT is_recorded THEN 'unrecorded' END, token
"""

_OLDEST = "SELECT min(recorded_ms) FROM waiting_reports WHERE awaits = 'record'"

_ANY_CLICK = "SELECT EXISTS (SELECT FROM waiting_reports WHERE awaits = 'view')"

_VIEWED = """
    DELETE FROM waiting_reports AS early USING unnest(%s) AS viewed (decision_id)
    WHERE early.decision_id = viewed.decision_id AND early.awaits = 'view' AND EXISTS (
        SELECT FROM charges c
        WHERE c.decision_id = viewed.decision_id AND c.beacon = 1 AND c.mark IS NULL
    )
    RETURNING early.position, early.recorded_ms, early.beacon, NULL, early.token
"""

_GIVEN_UP = """
    DELETE FROM waiting_reports WHERE awaits = 'view' AND expires_ms <= %s
    RETURNING position, recorded_ms, beacon, 'click_without_view', token
"""


class WaitingReports:
    """Keeps reports in the transactions in which others are settled."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        """Take the connection of a settlement, which knows arrays."""
        self._connection = connection

    def keep(self, reports: Reports, awaits: Literal["record", "view"]) -> None:
        """Keep reports until what they await has come, or comes no more; of each kind the first."""
        if len(reports):
            self._connection.execute(_WAIT, (awaits, *reports.waiting()))

    def unrecorded(self, reports: Reports) -> Reports:
        """Return those of valid reports of whose ads nothing is on record yet."""
        valid = reports.unmarked()
        if not len(valid):
            return valid
        rows = self._connection.execute(_UNRECORDED, (UUIDs(valid.decision_id),)).fetchall()
        return valid.rows([n for (n,) in rows])

    def resolved(self, *, now_ms: int) -> Sequence[TupleRow]:
        """Let go of those whose record has come, and of those, marked, whose comes no more."""
        return self._rows(_RESOLVED, (now_ms, _AT_ONCE, RECORD_MS))

    def viewed(self, views: Reports) -> Sequence[TupleRow]:
        """Let go of the clicks whose views have come."""
        (is_any,) = self._connection.execute(_ANY_CLICK).fetchone() or (False,)
        if not is_any or not len(views):
            return []
        return self._rows(_VIEWED, (UUIDs(views.decision_id),))

    def given_up(self, *, settled_ms: int) -> Sequence[TupleRow]:
        """Let go, marked, of the clicks whose tokens had expired by then."""
        return self._rows(_GIVEN_UP, (settled_ms,))

    def settled_until(self, until_ms: int) -> int:
        """Return until when all is settled: not beyond the first report that waits for a record."""
        (oldest_ms,) = self._connection.execute(_OLDEST).fetchone() or (None,)
        return until_ms if oldest_ms is None else min(until_ms, int(oldest_ms))

    def _rows(self, query: LiteralString, parameters: tuple[object, ...]) -> Sequence[TupleRow]:
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(query, parameters).fetchall()
