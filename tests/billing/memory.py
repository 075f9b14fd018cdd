"""The protocol of budgets in memory: the same steps as in PostgreSQL, each whole or not at all.

What is decided of charges and what servers hold is the product's own; only what PostgreSQL does is
written anew here, so that ten thousand schedules take seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from ads.days import bounds_ms, day_of
from myriorama.billing.charges import Budget, Due, LeaseRow, budgets_of, charge
from myriorama.billing.leases import Lease
from myriorama.billing.waiting import RECORD_MS

LINES = (UUID(int=1), UUID(int=2))
ADVERTISER, CAMPAIGN = UUID(int=101), UUID(int=102)
SERVES_MS, TOKEN_LIFE_MS, SKEW_MS = 5_000, 600_000, 5_000


class Report(NamedTuple):
    """A report of a billed event: what its token says, and when it expires."""

    decision: int
    lease: Lease
    micros: int
    expires_ms: int


@dataclass
class Row:
    """A row of `spending`."""

    budget: int
    held: int = 0
    spent: int = 0

    @property
    def free(self) -> int:
        return max(self.budget, self.spent) - self.held - self.spent


@dataclass
class Memory:
    """A house of two lines in one campaign, whose clock is set by who plays with it."""

    now_ms: int
    zone: str
    lines: tuple[UUID, ...]
    daily: int
    advertiser: UUID = ADVERTISER
    campaign: UUID = CAMPAIGN
    rows: dict[Budget, Row] = field(default_factory=dict[Budget, Row])
    leases: dict[int, LeaseRow] = field(default_factory=dict[int, LeaseRow])
    open: dict[int, int] = field(default_factory=dict[int, int])
    log: list[tuple[int, Report]] = field(default_factory=list[tuple[int, Report]])
    settled: int = 0
    settled_ms: int = 0
    decided: set[int] = field(default_factory=set[int])
    waiting: dict[int, tuple[int, int, Report]] = field(
        default_factory=dict[int, tuple[int, int, Report]]
    )
    charges: dict[int, int] = field(default_factory=dict[int, int])
    unrecorded: set[int] = field(default_factory=set[int])
    leaked_micros: int = 0
    outbox: dict[tuple[UUID, int], int] = field(default_factory=dict[tuple[UUID, int], int])
    marked: set[tuple[UUID, int]] = field(default_factory=set[tuple[UUID, int]])
    recorded: dict[tuple[UUID, int], int] = field(default_factory=dict[tuple[UUID, int], int])

    def grant(self, line_id: UUID, wanted: int, least: int) -> Lease | None:
        day = day_of(self.now_ms, ZoneInfo(self.zone))
        until = min(self.now_ms + SERVES_MS, bounds_ms(day, ZoneInfo(self.zone))[1])
        number = day.toordinal()
        self.rows.setdefault(("line_day", line_id, number), Row(self.daily))
        new = LeaseRow(len(self.leases) + 1, line_id, number, self.campaign, self.advertiser, 0, 0)
        free = min(self.rows[budget].free for budget in budgets_of(new))
        if free < least or free <= 0:
            return None
        new.amount_micros = min(max(wanted, least), free, max(free // 4, least))
        self.leases[new.lease_id] = new
        self.open[new.lease_id] = until + TOKEN_LIFE_MS
        self._move(new, new.amount_micros, 0)
        return Lease(
            new.lease_id,
            line_id,
            number,
            new.amount_micros,
            until - self.now_ms,
            until + TOKEN_LIFE_MS,
        )

    def shrink(self, lease_id: int, issued: int, *, closing: bool = False) -> None:
        if lease_id not in self.open:
            return
        lease = self.leases[lease_id]
        kept = max(lease.spent_micros, min(lease.amount_micros, issued))
        self._move(lease, kept - lease.amount_micros, 0)
        lease.amount_micros = kept
        if closing:
            del self.open[lease_id]

    def report(self, reports: Sequence[Report]) -> None:
        self.log += [(self.now_ms, report) for report in reports]

    def record(self, decisions: Sequence[int]) -> None:
        self.decided.update(decisions)

    def settle(self, at_once: int) -> None:
        come = self._resolved()
        batch = self.log[self.settled : self.settled + at_once]
        for position, (at_ms, report) in enumerate(batch, self.settled):
            if at_ms >= report.expires_ms:
                continue
            if report.decision in self.decided:
                come.append((position, report))
            else:
                self.waiting.setdefault(report.decision, (position, at_ms, report))
        self.settled += len(batch)
        until_ms = batch[-1][0] if len(batch) == at_once else self.now_ms
        self.settled_ms = min([until_ms, *(at_ms for _, at_ms, _ in self.waiting.values())])
        due = list[Due]()
        for position, report in sorted(come, key=lambda each: each[0]):
            if report.decision not in self.charges:
                self.charges[report.decision] = report.micros
                due.append(self._due(position, report))
        free = {budget: row.free for budget, row in self.rows.items()}
        charged = charge(due, self.leases, free)
        for lease_id, (grown, spent) in charged.moves().items():
            lease = self.leases[lease_id]
            lease.amount_micros += grown
            lease.spent_micros += spent
            self._move(lease, grown - spent, spent)
        for one in charged.leaked:
            self.charges[int.from_bytes(one.decision_id)] = 0
            self.leaked_micros += one.micros
        for (line_id, _), counts in charged.by_day.items():
            version = 1 + sum(line == line_id for line, _ in self.outbox)
            self.outbox[line_id, version] = sum(count.micros for count in counts.values())

    def publish(self, *, is_marked: bool) -> None:
        for key, micros in self.outbox.items():
            if key not in self.marked:
                self.recorded.setdefault(key, micros)
        if is_marked:
            self.marked |= self.outbox.keys()

    def reclaim(self) -> None:
        for lease_id, tokens_until in list(self.open.items()):
            if tokens_until < self.settled_ms - SKEW_MS:
                self.shrink(lease_id, 0, closing=True)

    def set_budget(self, scope: str, id_: UUID, micros: int) -> None:
        row = self.rows.setdefault((scope, id_, 0), Row(0))
        excess = row.held - max(0, micros - row.spent)
        for lease_id in sorted(self.open, reverse=True):
            lease = self.leases[lease_id]
            if excess > 0 and (scope, id_, 0) in budgets_of(lease):
                left = lease.amount_micros - lease.spent_micros
                taken = min(excess, left)
                self.shrink(lease_id, lease.amount_micros - taken)
                excess -= taken
        row.budget = micros

    def spending(self) -> Iterator[tuple[Budget, int, int, int]]:
        for budget, row in self.rows.items():
            yield budget, max(row.budget, row.spent), row.held, row.spent

    def recorded_micros(self) -> int:
        return sum(self.recorded.values())

    def charged_micros(self) -> dict[int, int]:
        return self.charges

    def drift(self) -> int:
        held: dict[Budget, int] = {}
        spent: dict[Budget, int] = {}
        for lease in self.leases.values():
            for budget in budgets_of(lease):
                held[budget] = held.get(budget, 0) + lease.amount_micros - lease.spent_micros
                spent[budget] = spent.get(budget, 0) + lease.spent_micros
        return sum(
            abs(row.held - held.get(budget, 0)) + abs(row.spent - spent.get(budget, 0))
            for budget, row in self.rows.items()
        ) + abs(sum(self.charges.values()) - sum(x.spent_micros for x in self.leases.values()))

    def _resolved(self) -> list[tuple[int, Report]]:
        """Let go of what waited: what is on record by now, and, free, what will never be."""
        come = list[tuple[int, Report]]()
        for decision, (position, at_ms, report) in list(self.waiting.items()):
            if decision in self.decided:
                come.append((position, report))
            elif at_ms + RECORD_MS <= self.now_ms:
                self.unrecorded.add(decision)
            else:
                continue
            del self.waiting[decision]
        return come

    def _due(self, position: int, report: Report) -> Due:
        return Due(
            position,
            report.decision.to_bytes(16),
            1,
            report.lease.line_id,
            self.advertiser,
            report.lease.day,
            report.lease.lease_id,
            report.micros,
        )

    def _move(self, lease: LeaseRow, held: int, spent: int) -> None:
        for budget in budgets_of(lease):
            row = self.rows[budget]
            cap = max(row.budget, row.spent)
            row.held += held
            row.spent += spent
            assert row.held >= 0, budget
            assert row.held + row.spent <= cap, budget
