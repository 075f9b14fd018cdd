"""What is charged of a batch of reports: out of leases, then out of what none holds, else nothing.

A charge is the price of its token or nothing: a report that comes when a budget has no room left
costs nothing, and is told as leaked. Nothing here reads or writes anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from domain.spend.events import SettledCharges


class Due(NamedTuple):
    """A report that bills: what its token says."""

    position: int
    decision_id: bytes
    beacon: int
    line_id: UUID
    advertiser_id: UUID
    day: int
    lease_id: int
    micros: int


@dataclass
class LeaseRow:
    """A lease as it stands; a closed one has nothing left."""

    lease_id: int
    line_id: UUID
    day: int
    campaign_id: UUID
    advertiser_id: UUID
    amount_micros: int
    spent_micros: int


Budget = tuple[str, UUID, int]
"""Scope, ID and day."""


@dataclass
class Charged:
    """What came of a batch: what leaked, how leases grew and were spent, and the days of lines."""

    leaked: list[Due] = field(default_factory=list[Due])
    extended: dict[int, int] = field(default_factory=dict[int, int])
    spent: dict[int, int] = field(default_factory=dict[int, int])
    by_day: dict[tuple[UUID, int], dict[int, "_Count"]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(_Count))
    )

    lines: dict[UUID, LeaseRow] = field(default_factory=dict[UUID, LeaseRow])

    def moves(self) -> Mapping[int, tuple[int, int]]:
        """Return by how much each lease grew, and how much more of it is spent."""
        ids = self.extended.keys() | self.spent.keys()
        return {each: (self.extended.get(each, 0), self.spent.get(each, 0)) for each in ids}


@dataclass
class _Count:
    count: int = 0
    micros: int = 0
    leaked: int = 0
    leaked_micros: int = 0


def budgets_of(lease: LeaseRow) -> tuple[Budget, Budget, Budget, Budget]:
    """Return the four that a lease was granted out of."""
    return (
        ("advertiser", lease.advertiser_id, 0),
        ("campaign", lease.campaign_id, 0),
        ("line", lease.line_id, 0),
        ("line_day", lease.line_id, lease.day),
    )


def charge(
    due: Iterable[Due], leases: Mapping[int, LeaseRow], free: MutableMapping[Budget, int]
) -> Charged:
    """Decide on reports in the order of their positions.

    Args:
        due: none of which was decided on before.
        leases: those that they name; one that is not there has never been.
        free: what each budget has that is neither held nor spent. It is brought up to date.
    """
    charged = Charged()
    counts: dict[tuple[int, int], list[int]] = defaultdict(list)
    left = {each.lease_id: each.amount_micros - each.spent_micros for each in leases.values()}
    for one in due:
        lease = leases.get(one.lease_id)
        short = one.micros - left.get(one.lease_id, 0)
        if lease is None or lease.day != one.day or lease.line_id != one.line_id:
            # No token of ours names such a lease: it was lost with what PostgreSQL had not written.
            _leak(charged, one)
            continue
        if short > 0:
            budgets = budgets_of(lease)
            if min(free.get(budget, 0) for budget in budgets) < short:
                _leak(charged, one)
                charged.lines[lease.line_id] = lease
                continue
            for budget in budgets:
                free[budget] -= short
            charged.extended[one.lease_id] = charged.extended.get(one.lease_id, 0) + short
            left[one.lease_id] += short
        left[one.lease_id] -= one.micros
        counts[one.lease_id, one.beacon].append(one.micros)
    for (lease_id, beacon), micros in counts.items():
        lease = leases[lease_id]
        spent = sum(micros)
        charged.lines[lease.line_id] = lease
        charged.spent[lease_id] = charged.spent.get(lease_id, 0) + spent
        count = charged.by_day[lease.line_id, lease.day][beacon]
        count.count += len(micros)
        count.micros += spent
    return charged


def settled(counts: Mapping[int, _Count], names: Mapping[int, str]) -> tuple[SettledCharges, ...]:
    """Return what was charged on a day, by the kind of report."""
    return tuple(
        SettledCharges(names[beacon], c.count, c.micros, c.leaked, c.leaked_micros)
        for beacon, c in sorted(counts.items())
    )


def _leak(charged: Charged, one: Due) -> None:
    charged.leaked.append(one)
    count = charged.by_day[one.line_id, one.day][one.beacon]
    count.leaked += 1
    count.leaked_micros += one.micros
