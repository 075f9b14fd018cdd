"""Credits: charges that turn out to be of invalid traffic are given back, once; none is edited."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import Beacon
from domain.spend.events import InvalidTrafficCredited
from myriorama.billing.outbox import Telling, tell

_ADVERTISERS = """
    SELECT DISTINCT c.advertiser_id FROM charges c
    JOIN unnest(%s::uuid[], %s::integer[]) AS told (decision_id, beacon)
      ON (c.decision_id, c.beacon) = (told.decision_id, told.beacon)
"""

_LOCK = "SELECT lock_advertisers(%s), clock_ms()"

_CREDIT = """
    WITH new AS (
        INSERT INTO credits (decision_id, beacon, reason, micros, credited_ms)
        SELECT c.decision_id, c.beacon, %s, c.micros, %s FROM charges c
        JOIN unnest(%s::uuid[], %s::integer[]) AS told (decision_id, beacon)
          ON (c.decision_id, c.beacon) = (told.decision_id, told.beacon)
        WHERE c.micros > 0
        ON CONFLICT DO NOTHING RETURNING decision_id, beacon, is_marked, micros
    )
    SELECT l.line_id, l.day, l.campaign_id, l.advertiser_id, count(*), sum(new.micros)::bigint
    FROM new JOIN charges c USING (decision_id, beacon, is_marked) JOIN leases l USING (lease_id)
    GROUP BY l.line_id, l.day, l.campaign_id, l.advertiser_id ORDER BY l.line_id, l.day
"""

_MOVE = """
    SELECT move_spending(%s::uuid[], %s::integer[], %s::uuid[], %s::uuid[], %s::bigint[],
                         %s::bigint[])
"""


def credit(
    connection: Connection[TupleRow], charged: Sequence[tuple[UUID, Beacon]], *, reason: str
) -> int:
    """Give charges back, of decisions and kinds of report; return how many micros.

    What was credited before, or was never charged, is passed over.
    """
    decisions = [decision_id for decision_id, _ in charged]
    beacons = [int(beacon) for _, beacon in charged]
    with connection.transaction():
        found = connection.execute(_ADVERTISERS, (decisions, beacons)).fetchall()
        locked = connection.execute(_LOCK, ([id_ for (id_,) in found],)).fetchone()
        now_ms = int(locked[1]) if locked else 0
        rows = connection.execute(_CREDIT, (reason, now_ms, decisions, beacons)).fetchall()
        if not rows:
            return 0
        columns = [list(column) for column in zip(*rows, strict=True)]
        lines, days, campaigns, advertisers, _, micros = columns
        back = [-each for each in micros]
        connection.execute(_MOVE, (lines, days, campaigns, advertisers, [0] * len(rows), back))
        at = datetime.fromtimestamp(now_ms / 1000, UTC)
        tell(connection, [(row[0], _telling(row, reason, at)) for row in rows])
        return sum(micros)


def _telling(row: TupleRow, reason: str, at: datetime) -> Telling:
    line_id, day, campaign_id, advertiser_id, count, micros = row

    def make(stream_id: UUID, version: int) -> InvalidTrafficCredited:
        return InvalidTrafficCredited(
            originator_id=stream_id,
            originator_version=version,
            timestamp=at,
            line_id=line_id,
            campaign_id=campaign_id,
            advertiser_id=advertiser_id,
            day=date.fromordinal(day).isoformat(),
            reason=reason,
            count=count,
            micros=micros,
        )

    return make
