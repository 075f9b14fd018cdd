"""Histories of an advertiser: days, lines, leaks, credits and invalid traffic, as a seed has it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from msgspec.structs import replace

from ads.beacons import BILLED, Beacon
from ads.lines import Kind
from ads.tokens import AdToken, unpacked
from domain.line_item.aggregate import LineItem
from myriorama.billing.credits import credit
from myriorama.billing.leases import Lease, reclaim
from myriorama.billing.outbox import Outbox
from myriorama.billing.spending import BudgetedLine, put_line, set_cap
from myriorama.store.log import Log
from tests.advertising import advertiser, campaign, line_item
from tests.billing.worlds import TOKEN_LIFE_MS, TOKENS, Market

# Clocks go back in Berlin on the 25th, so that its day has 25 hours.
DECIDE = """
    INSERT INTO ad_decisions
    VALUES (%(decision_id)s, to_timestamp(%(decided_ms)s / 1000.0), %(viewer)s, %(page)s, 'for_you',
            %(surface)s, %(position)s, %(line_id)s, %(campaign_id)s, %(advertiser_id)s,
            %(creative_id)s, %(kind)s, %(price_micros)s, %(bid_micros)s, 0.5, 2000, 1500, 500, 0.5,
            0.01, 0.5, 1, %(lease_id)s, %(day)s, %(above)s, %(below)s, '{country:DE}',
            %(expires_ms)s, 7, 'auction', true, 'abc', 1)
"""

BEGIN = datetime(2026, 10, 23, 21, 30, tzinfo=UTC)
ZONE = "Europe/Berlin"
DAYS = 4
KINDS: Sequence[Kind] = ("cpm", "cpv", "cpc")
FUNDS = 400_000


class History:
    """Plays an advertiser's days in a market, and records them in the log."""

    def __init__(
        self, market: Market, log: Log, seed: int, *, owner_id: UUID | None = None
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed that is told
        self.market = market
        opened = advertiser(owner_id or UUID(int=1))
        plans = [campaign(opened), campaign(opened)]
        self.lines: list[LineItem] = [
            line_item(plans[n % 2], kind=kind) for n, kind in enumerate(KINDS)
        ]
        log.save(opened, *plans, *self.lines)
        self.advertiser_id = market.advertiser_id = opened.id
        self.campaigns = [plan.id for plan in plans]
        self.charged: list[tuple[UUID, Beacon]] = []
        self._decision = 0
        market.zone = ZONE
        market.now_ms = round(BEGIN.timestamp() * 1000)
        for scope, id_ in (("advertiser", opened.id), *(("campaign", each.id) for each in plans)):
            set_cap(market.connection, scope, id_, FUNDS, advertiser_id=opened.id)  # type: ignore[arg-type]  # of the two
        for line in self.lines:
            budget = self.random.randrange(FUNDS // 4, FUNDS)
            put_line(
                market.connection,
                BudgetedLine(line.id, line.campaign_id, opened.id, ZONE, budget // 2, budget),
                now_ms=market.now_ms,
            )

    def play(self, hours: int = DAYS * 24, step_hours: int = 6) -> "History":
        """Let time pass; what was reported is settled, recorded, and some of it credited."""
        outbox = Outbox(self.market.pool)
        for _ in range(0, hours, step_hours):
            for line in self.lines:
                self._serve(line)
            settled = self.market.settle(at_once=self.random.choice((7, 50, 10_000)))
            while not settled.is_last:
                settled = self.market.settle()
            if self.charged and self.random.random() < 1 / 3:
                chosen = self.random.sample(self.charged, min(5, len(self.charged)))
                credit(self.market.connection, chosen, reason="viewer_volume")
            outbox.publish()
            self.market.now_ms += round(timedelta(hours=step_hours).total_seconds() * 1000)
            reclaim(self.market.connection, settled_ms=self.market.now_ms - TOKEN_LIFE_MS)
        outbox.close()
        return self

    def _serve(self, line: LineItem) -> None:
        lease = self.market.grant(self.random.randrange(5_000, 60_000), line_id=line.id)
        if lease is None:
            return
        kind: Kind = KINDS[self.lines.index(line)]
        for _ in range(self.random.randrange(4, 12)):
            placed = self._token(lease, kind)
            self._decide(placed, line)
            token = unpacked(TOKENS.sign(placed))
            mark = self.random.choice((None, None, None, None, "crawler"))
            if self.random.random() < 1 / 4:
                self.market.report([token, token], Beacon.VIEWABLE, "view_too_soon")
            self.market.report([token], Beacon.VIEWABLE, mark)
            for beacon in (Beacon.FIRST_QUARTILE, Beacon.COMPLETE, Beacon.CLICK):
                if self.random.random() < 1 / 4:
                    self.market.report([token], beacon, "played_too_soon")
                if self.random.random() < 1 / 2:
                    self.market.report([token, token], beacon, mark)
            self.charged.append((UUID(int=self._decision), BILLED[kind]))

    def _decide(self, token: AdToken, line: LineItem) -> None:
        row = {name: getattr(token, name) for name in token.__struct_fields__} | {
            "viewer": viewer_id(token.viewer),
            "page": UUID(int=10**6 + self._decision),
            "campaign_id": line.campaign_id,
            "bid_micros": 8_000,
            "above": UUID(int=501),
            "below": UUID(int=502),
        }
        self.market.connection.execute(DECIDE, row)

    def _token(self, lease: Lease, kind: Kind) -> AdToken:
        self._decision += 1
        expires_ms = min(self.market.now_ms + TOKEN_LIFE_MS, lease.tokens_until_ms)
        token = AdToken(
            decision_id=UUID(int=self._decision),
            line_id=lease.line_id,
            creative_id=UUID(int=self.random.randrange(70, 73)),
            advertiser_id=self.advertiser_id,
            lease_id=lease.lease_id,
            kind=kind,
            price_micros=self.random.randrange(1, 8_000),
            viewer=self.random.randrange(15),
            position=self.random.randrange(3, 6),
            surface=self.random.randrange(2),
            decided_ms=self.market.now_ms,
            expires_ms=expires_ms,
            day=lease.day,
        )
        lost = self.random.random() < 1 / 20
        # What it reports leaks: there never was such a lease.
        return replace(token, lease_id=10**9) if lost else token


def viewer_id(viewer: int) -> UUID:
    """Return the account that a pseudonym stands for."""
    return UUID(int=10**30 + viewer)
