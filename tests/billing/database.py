"""The protocol of budgets in PostgreSQL, played with as the one in memory is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import Beacon
from ads.tokens import AdToken, unpacked
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.billing.charges import Budget
from myriorama.billing.leases import Lease, Leases, reclaim
from myriorama.billing.outbox import Outbox
from myriorama.billing.settlement import Settlement
from myriorama.billing.spending import BudgetedLine, drift_micros, put_line, set_cap
from myriorama.store.postgres import Pool
from tests.billing.memory import Report
from tests.billing.worlds import TOKENS

_SPENDING = """
    SELECT scope, id, day, cap_micros, held_micros, spent_micros FROM spending
    WHERE id IN (SELECT advertiser_id FROM budgeted_lines WHERE line_id = ANY(%(lines)s)
                 UNION SELECT campaign_id FROM budgeted_lines WHERE line_id = ANY(%(lines)s)
                 UNION SELECT unnest(%(lines)s))
"""

_CHARGES = "SELECT decision_id, micros FROM charges WHERE line_id = ANY(%s)"

_RECORDED = """
    SELECT coalesce(sum((convert_from(state, 'UTF8')::json->>'micros')::bigint), 0)
    FROM events WHERE originator_id IN (
        SELECT stream_id FROM spend_outbox WHERE line_id = ANY(%s)
    )
"""

_SET = "UPDATE settled_reports SET position = (SELECT coalesce(max(position), 0) FROM ad_events)"

# Each schedule has a clock of its own, and the log one that never goes back.
_CLEAR = "TRUNCATE ad_events, charges, credits, early_clicks, leases, spending, budgeted_lines"


@dataclass
class Database:
    """Two lines in one campaign, in a database that holds nothing else."""

    pool: Pool
    connection: Connection[TupleRow]
    now_ms: int
    zone: str
    lines: tuple[UUID, ...]
    advertiser: UUID
    campaign: UUID
    budget: int
    settled_ms: int = 0
    outbox: Outbox = field(init=False)
    is_crashing: Iterator[bool] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self.connection.execute(_CLEAR)
        self.connection.execute(_SET)
        self.outbox = Outbox(self.pool)
        self.set_budget("advertiser", self.advertiser, self.budget)
        self.set_budget("campaign", self.campaign, self.budget - 2_000)
        for line_id in self.lines:
            self.set_budget("line", line_id, self.budget // 2)

    def grant(self, line_id: UUID, wanted: int, least: int) -> Lease | None:
        return Leases(self.pool, "tests").granted(
            self.connection, line_id, wanted, least, zone=self.zone, now_ms=self.now_ms
        )

    def shrink(self, lease_id: int, issued: int) -> None:
        Leases(self.pool, "tests").give_back(lease_id, issued_micros=issued)

    def report(self, reports: Sequence[Report]) -> None:
        rows = [Reported(Beacon.VIEWABLE, self._token(report)) for report in reports]
        self.connection.execute(APPEND, append_parameters(rows, now_ms=self.now_ms))

    def settle(self, at_once: int) -> None:
        settlement = Settlement(self.connection, TOKENS, reports_at_once=at_once)
        if next(self.is_crashing, False):
            with self.connection.transaction(force_rollback=True):
                settlement.settle(now_ms=self.now_ms)
        self.settled_ms = settlement.settle(now_ms=self.now_ms).until_ms

    def publish(self, *, is_marked: bool) -> None:
        self.outbox.publish()
        if not is_marked:
            self.connection.execute("UPDATE spend_outbox SET is_recorded = false")

    def reclaim(self) -> None:
        reclaim(self.connection, settled_ms=self.settled_ms)

    def set_budget(self, scope: str, id_: UUID, micros: int) -> None:
        if scope == "line":
            line = BudgetedLine(
                id_, self.campaign, self.advertiser, self.zone, self.budget // 3, micros
            )
            put_line(self.connection, line, now_ms=self.now_ms)
        elif scope == "campaign":
            set_cap(self.connection, "campaign", id_, micros, advertiser_id=self.advertiser)
        else:
            set_cap(self.connection, "advertiser", id_, micros, advertiser_id=self.advertiser)

    def spending(self) -> Iterator[tuple[Budget, int, int, int]]:
        for row in self.connection.execute(_SPENDING, {"lines": list(self.lines)}):
            yield (row[0], row[1], row[2]), row[3], row[4], row[5]

    def charged_micros(self) -> dict[int, int]:
        rows = self.connection.execute(_CHARGES, (list(self.lines),))
        return {decision.int: micros for decision, micros in rows}

    def recorded_micros(self) -> int:
        row = self.connection.execute(_RECORDED, (list(self.lines),)).fetchone()
        return int(row[0]) if row else 0

    def leaked_micros(self) -> int:
        row = self.connection.execute(
            "SELECT coalesce(sum(leaked_micros), 0) FROM charges"
        ).fetchone()
        return int(row[0]) if row else 0

    def drift(self) -> int:
        return drift_micros(self.connection)

    def _token(self, report: Report) -> bytes:
        token = AdToken(
            decision_id=UUID(int=report.decision),
            line_id=report.lease.line_id,
            creative_id=UUID(int=7),
            advertiser_id=self.advertiser,
            lease_id=report.lease.lease_id,
            kind="cpm",
            price_micros=report.micros,
            viewer=9,
            position=3,
            surface=0,
            decided_ms=0,
            expires_ms=report.expires_ms,
            day=report.lease.day,
            duration_ms=8_000,
        )
        return unpacked(TOKENS.sign(token))
