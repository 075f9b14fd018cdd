"""Settlement: each report of an ad is counted once, and what it bills is charged once, or is free.

One transaction takes a batch of the log of reports as far as the charges, the leases, the budgets,
the events that tell of it (in an outbox), and its own position. Whoever dies in it has done
nothing, and two at once wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import Beacon
from ads.tokens import Tokens
from domain.spend.events import SettledCharges, SpendSettled
from myriorama.billing.charges import (
    Charged,
    Due,
    LeaseRow,
    budgets_of,
    charge,
    settled,
)
from myriorama.billing.outbox import Telling, tell
from myriorama.billing.reports import Reports
from myriorama.store.view_arrays import UUIDs, register

REPORTS_AT_ONCE = 10_000

_FROM = """
    SELECT position, clock_ms() FROM settled_reports WHERE consumer = 'settlement' FOR UPDATE
"""

_REPORTS = """
    SELECT position, recorded_ms, beacon, mark, token FROM ad_events
    WHERE position > %s ORDER BY position LIMIT %s
"""

_ADVANCE = "UPDATE settled_reports SET position = %s WHERE consumer = 'settlement'"

# Of the same decision and kind, the first valid one counts, and the first that is marked. Told are
# those that are new, and billed.
_COUNT = """
    WITH new AS (
        INSERT INTO charges (position, reported_ms, beacon, decision_id, line_id, creative_id,
                             advertiser_id, day, lease_id, place, surface, micros, mark, batch)
        SELECT *, %s FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING RETURNING position, micros
    )
    SELECT position FROM new WHERE micros > 0
"""

_UNSEEN = """
    SELECT n::integer - 1 FROM unnest(%s) WITH ORDINALITY AS clicked (decision_id, n)
    WHERE NOT EXISTS (
        SELECT FROM charges c
        WHERE c.decision_id = clicked.decision_id AND c.beacon = 1 AND c.mark IS NULL
    )
"""

_WAIT = """
    INSERT INTO early_clicks (decision_id, position, recorded_ms, expires_ms, token)
    SELECT * FROM unnest(%s, %s, %s, %s, %s::bytea[]) ON CONFLICT DO NOTHING
"""

_ANY_WAITING = "SELECT EXISTS (SELECT FROM early_clicks)"

_WAITED = """
    DELETE FROM early_clicks AS early USING unnest(%s) AS viewed (decision_id)
    WHERE early.decision_id = viewed.decision_id AND EXISTS (
        SELECT FROM charges c
        WHERE c.decision_id = viewed.decision_id AND c.beacon = 1 AND c.mark IS NULL
    )
    RETURNING early.position, early.recorded_ms, 8::smallint, NULL, early.token
"""

_GIVEN_UP = """
    DELETE FROM early_clicks WHERE expires_ms <= %s
    RETURNING position, recorded_ms, 8::smallint, 'click_without_view', token
"""

_LOCK = "SELECT lock_advertisers(%s)"

_LEASES = """
    SELECT lease_id, line_id, day, campaign_id, advertiser_id, amount_micros, spent_micros
    FROM leases WHERE lease_id = ANY(%s)
"""

_FREE = """
    SELECT s.scope, s.id, s.day, cap_micros - held_micros - spent_micros FROM spending s
    JOIN unnest(%s::text[], %s::uuid[], %s::integer[]) AS k (scope, id, day)
      ON (s.scope, s.id, s.day) = (k.scope, k.id, k.day)
"""

_SPEND = """
    UPDATE leases SET amount_micros = amount_micros + m.grown, spent_micros = spent_micros + m.spent
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS m (lease_id, grown, spent)
    WHERE leases.lease_id = m.lease_id
"""

_MOVE = """
    SELECT move_spending(%s::uuid[], %s::integer[], %s::uuid[], %s::uuid[], %s::bigint[],
                         %s::bigint[])
"""

_LEAK = """
    UPDATE charges SET micros = 0, leaked_micros = micros
    FROM unnest(%s, %s::integer[]) AS free (decision_id, beacon)
    WHERE (charges.decision_id, charges.beacon, is_marked)
          = (free.decision_id, free.beacon, false)
"""

_NAMES = {beacon.value: beacon.name.lower() for beacon in Beacon}


@dataclass(frozen=True)
class Settled:
    """What came of a batch. All that was reported up to `until_ms` is settled."""

    reports: int
    until_ms: int
    is_last: bool
    charged: int = 0
    micros: int = 0
    leaked: int = 0
    leaked_micros: int = 0
    refused: int = 0


class Settlement:
    """Settles over one connection, batch by batch."""

    def __init__(
        self,
        connection: Connection[TupleRow],
        tokens: Tokens,
        *,
        reports_at_once: int = REPORTS_AT_ONCE,
    ) -> None:
        """Take a connection that commits by itself and does nothing else."""
        register(connection)
        self._connection = connection
        self._tokens = tokens
        self._reports_at_once = reports_at_once

    def settle(self, *, now_ms: int | None = None) -> Settled:
        """Settle the next batch of reports; `now_ms` is the present, if it is not the database's.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there: nothing or all of it has happened.
        """
        with self._connection.transaction():
            return self._settle(now_ms)

    def _settle(self, now_ms: int | None) -> Settled:
        connection = self._connection
        row = connection.execute(_FROM).fetchone()
        if row is None:
            raise LookupError("settled_reports has lost its row")
        start, clock_ms = row
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_REPORTS, (start, self._reports_at_once)).fetchall()
        if not rows:
            return Settled(0, now_ms or clock_ms, is_last=True)
        reports = Reports.of(rows, self._tokens)
        batch = int(rows[-1][0])
        due = self._counted(reports, batch)
        charged = self._charged(due)
        at = datetime.fromtimestamp((now_ms or clock_ms) / 1000, UTC)
        self._tell(charged, batch, at)
        connection.execute(_ADVANCE, (batch,))
        is_last = len(rows) < self._reports_at_once
        counts = [*chain.from_iterable(day.values() for day in charged.by_day.values())]
        return Settled(
            len(rows),
            (now_ms or clock_ms) if is_last else int(rows[-1][1]),
            is_last=is_last,
            charged=sum(count.count for count in counts),
            micros=sum(count.micros for count in counts),
            leaked=sum(count.leaked for count in counts),
            leaked_micros=sum(count.leaked_micros for count in counts),
            refused=reports.refused,
        )

    def give_up(self, *, settled_ms: int) -> int:
        """Count clicks whose view has not come until their token expired as invalid; how many.

        Args:
            settled_ms: all that was reported up to then has been settled.
        """
        with self._connection.transaction(), self._connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_GIVEN_UP, (settled_ms,)).fetchall()
            if rows:
                late = Reports.of(rows, self._tokens)
                self._count(late, batch=0)
        return len(rows)

    def _counted(self, reports: Reports, batch: int) -> Sequence[Due]:
        """Count what is new, and return what of it bills, in the order of the positions."""
        clicks = reports.of_beacon(Beacon.CLICK)
        due = [*self._count(reports.but(clicks), batch)]
        waited = self._waited(reports)
        clicks = clicks.and_others(waited)
        if len(clicks):
            row = self._connection.execute(_UNSEEN, (UUIDs(clicks.decision_id),)).fetchall()
            unseen = clicks.rows([n for (n,) in row]).unmarked()
            if len(unseen):
                self._connection.execute(_WAIT, unseen.waiting())
            due += self._count(clicks.but(unseen), batch)
        return sorted(due)

    def _count(self, reports: Reports, batch: int) -> Sequence[Due]:
        if not len(reports):
            return []
        row = (batch, *reports.parameters())
        with self._connection.cursor(binary=True) as cursor:
            new = cursor.execute(_COUNT, row).fetchall()
        return reports.due([position for (position,) in new])

    def _waited(self, reports: Reports) -> Reports | None:
        """Return the clicks that came before the views that have come now."""
        views = reports.of_beacon(Beacon.VIEWABLE)
        (is_any,) = self._connection.execute(_ANY_WAITING).fetchone() or (False,)
        if not is_any or not len(views):
            return None
        with self._connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_WAITED, (UUIDs(views.decision_id),)).fetchall()
        return Reports.of(rows, self._tokens) if rows else None

    def _charged(self, due: Sequence[Due]) -> Charged:
        """Charge what is due to its leases and budgets, and let free what finds no room."""
        if not due:
            return Charged()
        connection = self._connection
        connection.execute(_LOCK, ([*{one.advertiser_id for one in due}],))
        rows = connection.execute(_LEASES, ([*{one.lease_id for one in due}],)).fetchall()
        leases = {row[0]: LeaseRow(*row) for row in rows}
        budgets = [*{budget for lease in leases.values() for budget in budgets_of(lease)}]
        keys = tuple([budget[n] for budget in budgets] for n in range(3))
        free = {(row[0], row[1], row[2]): row[3] for row in connection.execute(_FREE, keys)}
        charged = charge(due, leases, free)
        moves = charged.moves()
        grown, spent = [m[0] for m in moves.values()], [m[1] for m in moves.values()]
        connection.execute(_SPEND, ([*moves], grown, spent))
        of = [leases[lease_id] for lease_id in moves]
        connection.execute(
            _MOVE,
            (
                [lease.line_id for lease in of],
                [lease.day for lease in of],
                [lease.campaign_id for lease in of],
                [lease.advertiser_id for lease in of],
                [more - less for more, less in zip(grown, spent, strict=True)],
                spent,
            ),
        )
        if charged.leaked:
            decisions = UUIDs.of([one.decision_id for one in charged.leaked])
            connection.execute(_LEAK, (decisions, [one.beacon for one in charged.leaked]))
        return charged

    def _tell(self, charged: Charged, batch: int, at: datetime) -> None:
        """Write the events of the batch, one a line and day."""
        told = [
            (line_id, _telling(charged.lines[line_id], day, settled(counts, _NAMES), batch, at))
            for (line_id, day), counts in sorted(charged.by_day.items())
            if line_id in charged.lines
        ]
        tell(self._connection, told)


def _telling(
    line: LeaseRow, day: int, charges: tuple[SettledCharges, ...], batch: int, at: datetime
) -> Telling:
    def make(stream_id: UUID, version: int) -> SpendSettled:
        return SpendSettled(
            originator_id=stream_id,
            originator_version=version,
            timestamp=at,
            line_id=line.line_id,
            campaign_id=line.campaign_id,
            advertiser_id=line.advertiser_id,
            day=date.fromordinal(day).isoformat(),
            settled_through=batch,
            charges=charges,
            micros=sum(each.micros for each in charges),
        )

    return make
