"""A small market: an advertiser, a campaign, two lines, and apps that report what was shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import Beacon
from ads.lines import Kind
from ads.tokens import AdToken, Tokens, unpacked
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.billing.leases import Lease, Leases
from myriorama.billing.settlement import Settled, Settlement
from myriorama.billing.spending import (
    BudgetedLine,
    Spending,
    drift_micros,
    put_line,
    set_cap,
    spending_of,
)
from myriorama.store.postgres import Pool

TOKENS = Tokens({1: b"a key of the tests, of thirty-two"})
NOON_MS = round(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
TOKEN_LIFE_MS = 600_000


@dataclass
class Market:
    """What the tests do, at a time that they say."""

    pool: Pool
    connection: Connection[TupleRow]
    advertiser_id: UUID = field(default_factory=uuid4)
    campaign_id: UUID = field(default_factory=uuid4)
    line_id: UUID = field(default_factory=uuid4)
    now_ms: int = NOON_MS
    zone: str = "UTC"
    decisions: "count[int]" = field(default_factory=lambda: count(1))

    def fund(
        self,
        funds: int = 1_000_000,
        *,
        campaign: int = 1_000_000,
        line: int = 1_000_000,
        daily: int = 1_000_000,
    ) -> "Market":
        set_cap(
            self.connection,
            "advertiser",
            self.advertiser_id,
            funds,
            advertiser_id=self.advertiser_id,
        )
        set_cap(
            self.connection,
            "campaign",
            self.campaign_id,
            campaign,
            advertiser_id=self.advertiser_id,
        )
        self.put_line(daily=daily, lifetime=line)
        return self

    def put_line(self, *, daily: int, lifetime: int, line_id: UUID | None = None) -> None:
        line = BudgetedLine(
            line_id or self.line_id,
            self.campaign_id,
            self.advertiser_id,
            self.zone,
            daily,
            lifetime,
        )
        put_line(self.connection, line, now_ms=self.now_ms)

    def grant(
        self, wanted: int, *, least: int = 1, line_id: UUID | None = None, server: str = "a"
    ) -> Lease | None:
        return Leases(self.pool, server).granted(
            self.connection,
            line_id or self.line_id,
            wanted,
            least,
            zone=self.zone,
            now_ms=self.now_ms,
        )

    def token(
        self, lease: Lease, micros: int, *, kind: Kind = "cpm", tokens: Tokens = TOKENS
    ) -> bytes:
        token = AdToken(
            decision_id=UUID(int=next(self.decisions)),
            line_id=lease.line_id,
            creative_id=UUID(int=7),
            advertiser_id=self.advertiser_id,
            lease_id=lease.lease_id,
            kind=kind,
            price_micros=micros,
            viewer=9,
            position=3,
            surface=0,
            decided_ms=self.now_ms,
            expires_ms=min(self.now_ms + TOKEN_LIFE_MS, lease.tokens_until_ms),
            day=lease.day,
            duration_ms=8_000,
        )
        return unpacked(tokens.sign(token))

    def report(
        self, tokens: Iterable[bytes], beacon: Beacon = Beacon.VIEWABLE, mark: str | None = None
    ) -> None:
        rows = [Reported(beacon, token, mark) for token in tokens]
        self.connection.execute(APPEND, append_parameters(rows, now_ms=self.now_ms))

    def settle(self, *, at_once: int = 10_000) -> Settled:
        settlement = Settlement(self.connection, TOKENS, reports_at_once=at_once)
        return settlement.settle(now_ms=self.now_ms)

    def spending(self) -> Sequence[Spending]:
        return [
            *spending_of(self.connection, "advertiser", self.advertiser_id),
            *spending_of(self.connection, "campaign", self.campaign_id),
            *spending_of(self.connection, "line", self.line_id),
            *spending_of(self.connection, "line_day", self.line_id),
        ]

    def spent(self) -> set[int]:
        """Return what is spent of the four budgets, which is the same unless something is wrong."""
        return {row.spent_micros for row in self.spending()}

    def held(self) -> set[int]:
        return {row.held_micros for row in self.spending()}

    def drift(self) -> int:
        return drift_micros(self.connection)


def granted(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease
