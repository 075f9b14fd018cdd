"""Reports of what an advertiser's ads did and cost: made of charges and credits, and of no counter.

So their sums are those of the ledger, to the micro, once what was settled is booked. Read by the
advertiser alone. Where fewer than ten viewers saw what is told apart, it is told together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, NamedTuple, get_args
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool

from ads.beacons import Beacon

Dimension = Literal["day", "campaign", "line", "kind", "creative", "surface", "place"]
DIMENSIONS: Sequence[Dimension] = get_args(Dimension)

VIEWERS_MIN = 10
"""Fewer viewers are not told apart by `creative`, `surface` or `place`."""

_REPORT = Path(__file__).with_name("spend_reports.sql").read_bytes()
_TELLING_APART = frozenset({"creative", "surface", "place"})
_SERVED = 0
_ANY_ZONE = timedelta(days=1)
"""No zone's date begins or ends further from UTC's than this."""


@dataclass(frozen=True)
class Place:
    """What a row is of; None: of all. `withheld`: of several that too few viewers saw."""

    day: date | None = None
    campaign_id: UUID | None = None
    line_item_id: UUID | None = None
    kind: str | None = None
    creative_id: UUID | None = None
    surface: int | None = None
    place: int | None = None
    withheld: bool = False

    def together(self) -> "Place":
        """Return it without what would tell viewers apart."""
        return replace(self, creative_id=None, surface=None, place=None, withheld=True)

    def key(self) -> tuple[str, ...]:
        """Return what rows are put in order by: days first, and numbers as numbers."""
        return tuple(
            f"{value:06d}" if isinstance(value, int) else "" if value is None else str(value)
            for value in vars(self).values()
        )


@dataclass
class Sums:
    """What was served, reported (`gross`, and `invalid` of it, by the kind), and what it cost."""

    served: int = 0
    gross: dict[Beacon, int] = field(default_factory=lambda: dict.fromkeys(Beacon, 0))
    invalid: dict[Beacon, int] = field(default_factory=lambda: dict.fromkeys(Beacon, 0))
    charged: int = 0
    credited: int = 0
    leaked: int = 0
    charged_micros: int = 0
    credited_micros: int = 0
    leaked_micros: int = 0

    @property
    def net_micros(self) -> int:
        """Return what is paid in the end."""
        return self.charged_micros - self.credited_micros

    @property
    def viewability(self) -> float | None:
        """Return which part of what was served was seen by people, half of it, for two seconds."""
        seen = self.gross[Beacon.VIEWABLE] - self.invalid[Beacon.VIEWABLE]
        return round(seen / self.served, 6) if self.served else None

    def add(self, other: "Sums") -> None:
        """Take in what another row has."""
        self.served += other.served
        for beacon in Beacon:
            self.gross[beacon] += other.gross[beacon]
            self.invalid[beacon] += other.invalid[beacon]
        self.charged += other.charged
        self.credited += other.credited
        self.leaked += other.leaked
        self.charged_micros += other.charged_micros
        self.credited_micros += other.credited_micros
        self.leaked_micros += other.leaked_micros


class Row(NamedTuple):
    """A row of a report."""

    of: Place
    sums: Sums


class Asked(NamedTuple):
    """What a report is to be of: days of the advertiser's, the last one included."""

    advertiser_id: UUID
    first_day: date
    last_day: date
    by: frozenset[Dimension]
    campaign_id: UUID | None = None
    line_item_id: UUID | None = None


class SpendReports:
    """Makes reports, each of one moment."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool

    async def rows(self, asked: Asked) -> Sequence[Row]:
        """Return the rows of a report, in the order of what they are of."""
        parameters = {
            "advertiser_id": asked.advertiser_id,
            "first": asked.first_day.toordinal(),
            "last": asked.last_day.toordinal(),
            "campaign_id": asked.campaign_id,
            "line_item_id": asked.line_item_id,
            "since": _begins(asked.first_day) - _ANY_ZONE,
            "until": _begins(asked.last_day) + 2 * _ANY_ZONE,
            **{f"by_{name}": name in asked.by for name in DIMENSIONS},
        }
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(_Counted)) as cursor,
        ):
            counted = await (await cursor.execute(_REPORT, parameters)).fetchall()
        rows = _summed(counted)
        if not _TELLING_APART.isdisjoint(asked.by):
            viewers = {each.of: each.viewers for each in counted if each.beacon is None}
            rows = _protected(rows, viewers)
        return [Row(of, sums) for of, sums in sorted(rows.items(), key=lambda row: row[0].key())]


def total(rows: Iterable[Row]) -> Sums:
    """Return the sums of all rows."""
    sums = Sums()
    for row in rows:
        sums.add(row.sums)
    return sums


@dataclass(frozen=True)
class _Counted:
    """A row of the query."""

    day: int | None
    campaign_id: UUID | None
    line_item_id: UUID | None
    kind: str | None
    creative_id: UUID | None
    surface: int | None
    place: int | None
    beacon: int | None
    gross: int
    invalid: int
    charged: int
    credited: int
    leaked: int
    micros: int
    credited_micros: int
    leaked_micros: int
    viewers: int

    @property
    def of(self) -> Place:
        return Place(
            date.fromordinal(self.day) if self.day else None,
            self.campaign_id,
            self.line_item_id,
            self.kind,
            self.creative_id,
            self.surface,
            self.place,
        )


def _begins(day: date) -> datetime:
    """Return when a day begins in UTC, where there is a day before it and two behind it."""
    within = min(max(day, date.min + _ANY_ZONE), date.max - 2 * _ANY_ZONE)
    return datetime.combine(within, time(), UTC)


def _summed(counted: Iterable[_Counted]) -> dict[Place, Sums]:
    rows: dict[Place, Sums] = defaultdict(Sums)
    for each in counted:
        sums = rows[each.of]
        if each.beacon is None:
            sums.charged, sums.credited, sums.leaked = each.charged, each.credited, each.leaked
            sums.charged_micros = each.micros
            sums.credited_micros = each.credited_micros
            sums.leaked_micros = each.leaked_micros
        elif each.beacon == _SERVED:
            sums.served = each.gross
        else:
            sums.gross[Beacon(each.beacon)] = each.gross
            sums.invalid[Beacon(each.beacon)] = each.invalid
    return rows


def _protected(rows: Mapping[Place, Sums], viewers: Mapping[Place, int]) -> dict[Place, Sums]:
    """Tell together what too few viewers saw, and the smallest of the others with it.

    Without that other one, what is told together could be of too few viewers itself, or be found
    as what is missing from a sum.
    """
    siblings: dict[Place, list[Place]] = defaultdict(list)
    for of in rows:
        siblings[of.together()].append(of)
    told: dict[Place, Sums] = {}
    for together, apart in siblings.items():
        ordered = sorted(apart, key=lambda of: (viewers[of], of.key()))
        few = sum(viewers[of] < VIEWERS_MIN for of in ordered)
        hidden = ordered[: few + 1] if few else []
        if hidden:
            told[together] = total(Row(of, rows[of]) for of in hidden)
        told |= {of: rows[of] for of in ordered[len(hidden) :]}
    return told
