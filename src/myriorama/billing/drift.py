"""Drift: by how much budgets, leases and charges disagree, looked for where something moved.

What a look costs goes by the charges of the days that moved since the last one, never by all there
are: the whole is for `verify ledger`.
"""

from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

Day = tuple[UUID, int]
"""A line item, and the ordinal of one of its days."""

# Charges reach a day until its tokens have expired, and credits a day later, in any zone.
_RECENT = """
    SELECT s.id, s.day, s.held_micros, s.spent_micros
    FROM budgeted_lines b, LATERAL (
        SELECT id, day, held_micros, spent_micros FROM spending
        WHERE scope = 'line_day' AND id = b.line_id AND day > clock_ms() / 86400000 + 719163 - 3
    ) AS s
"""

_OPEN = "SELECT DISTINCT line_id, day FROM leases WHERE is_open"

# As drift_micros (billing/spending.py) finds it, for some days and the budgets that they are part
# of; what a day is off is not counted again where it is summed up.
_DRIFT = """
    WITH looked (line_id, day) AS (SELECT * FROM unnest(%s::uuid[], %s::integer[])),
    parts AS (
        SELECT lease_id, sum(micros) AS micros, sum(net) AS net
        FROM (
            SELECT c.lease_id, c.micros, c.micros - coalesce(r.micros, 0)
            FROM looked JOIN charges c USING (line_id, day)
            LEFT JOIN credits r USING (decision_id, beacon, is_marked) WHERE c.micros > 0
            UNION ALL
            SELECT l.lease_id, 0, 0 FROM looked JOIN leases l USING (line_id, day) WHERE l.is_open
        ) AS p (lease_id, micros, net)
        GROUP BY 1
    ), kept AS (
        SELECT l.line_id, l.day, sum(l.amount_micros - l.spent_micros) AS held,
               sum(p.net) AS spent, sum(abs(l.spent_micros - p.micros)) AS leases_off
        FROM parts p JOIN leases l USING (lease_id) GROUP BY 1, 2
    ), days AS (
        SELECT line_id, coalesce(leases_off, 0) AS leases_off,
               coalesce(k.held, 0) - coalesce(s.held_micros, 0) AS held,
               coalesce(k.spent, 0) - coalesce(s.spent_micros, 0) AS spent
        FROM looked LEFT JOIN kept k USING (line_id, day)
        LEFT JOIN spending s ON (s.scope, s.id, s.day) = ('line_day', line_id, looked.day)
    ), lines AS (
        SELECT b.campaign_id, b.advertiser_id, s.held + d.held - l.held_micros AS held,
               s.spent + d.spent - l.spent_micros AS spent
        FROM (SELECT line_id, sum(held) AS held, sum(spent) AS spent FROM days GROUP BY 1) AS d
        JOIN budgeted_lines b USING (line_id)
        JOIN spending l ON (l.scope, l.id, l.day) = ('line', line_id, 0),
        LATERAL (SELECT sum(held_micros) AS held, sum(spent_micros) AS spent FROM spending
                 WHERE scope = 'line_day' AND id = line_id) AS s
    ), campaigns AS (
        SELECT d.advertiser_id, s.held + d.held - c.held_micros AS held,
               s.spent + d.spent - c.spent_micros AS spent
        FROM (SELECT campaign_id, advertiser_id, sum(held) AS held, sum(spent) AS spent
              FROM lines GROUP BY 1, 2) AS d
        JOIN spending c ON (c.scope, c.id, c.day) = ('campaign', d.campaign_id, 0),
        LATERAL (SELECT sum(held_micros) AS held, sum(spent_micros) AS spent
                 FROM budgeted_lines b JOIN spending l
                   ON (l.scope, l.id, l.day) = ('line', b.line_id, 0)
                 WHERE b.campaign_id = d.campaign_id) AS s
    ), advertisers AS (
        SELECT s.held + d.held - a.held_micros AS held, s.spent + d.spent - a.spent_micros AS spent
        FROM (SELECT advertiser_id, sum(held) AS held, sum(spent) AS spent
              FROM campaigns GROUP BY 1) AS d
        JOIN spending a ON (a.scope, a.id, a.day) = ('advertiser', d.advertiser_id, 0),
        LATERAL (SELECT sum(held_micros) AS held, sum(spent_micros) AS spent
                 FROM (SELECT DISTINCT campaign_id FROM budgeted_lines
                       WHERE advertiser_id = d.advertiser_id) AS b
                 JOIN spending c ON (c.scope, c.id, c.day) = ('campaign', b.campaign_id, 0)) AS s
    )
    SELECT coalesce(sum(abs(held) + abs(spent) + leases_off), 0) FROM (
        SELECT held, spent, leases_off FROM days
        UNION ALL SELECT held, spent, 0 FROM lines
        UNION ALL SELECT held, spent, 0 FROM campaigns
        UNION ALL SELECT held, spent, 0 FROM advertisers
    ) AS off
"""


class Drift:
    """Looks again and again over one connection; the first time at all days of late."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        """Take a connection that commits by itself."""
        self._connection = connection
        self._known = dict[Day, tuple[int, int]]()
        self._disputed: frozenset[Day] = frozenset()

    def moved(self) -> frozenset[Day]:
        """Return the days that something can have moved in since this was asked last."""
        rows = self._connection.execute(_RECENT).fetchall()
        recent = {(line_id, day): (held, spent) for line_id, day, held, spent in rows}
        moved = {day for day, budget in recent.items() if self._known.get(day) != budget}
        self._known = recent
        return frozenset(moved | {(row[0], row[1]) for row in self._connection.execute(_OPEN)})

    def look(self) -> int:
        """Return by how many micros those days disagree, and those that did when last looked at.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there.
        """
        looked = self.moved() | self._disputed
        lines, days = [day[0] for day in looked], [day[1] for day in looked]
        row = self._connection.execute(_DRIFT, (lines, days)).fetchone()
        drift_micros = int(row[0]) if row else 0
        self._disputed = looked if drift_micros else frozenset[Day]()
        return drift_micros
