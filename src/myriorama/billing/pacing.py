"""What the pacer reads of PostgreSQL, and what it publishes there."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from ads.days import day_of
from ads.targets import Mode
from myriorama.billing.leases import TOKEN_LIFE_MS

# What was issued out of a lease is reported within seconds of its end, or hardly any more.
_REPORTED_WITHIN_MS = 30_000

_CLOCK = "SELECT clock_ms()"

_ZONES = "SELECT DISTINCT zone FROM budgeted_lines WHERE may_spend"

_LINES = """
    SELECT b.line_id, b.campaign_id, b.advertiser_id, b.zone, z.day, l.pacing AS mode,
           l.guaranteed, l.daily_budget_micros AS daily_micros,
           line.budget_micros AS lifetime_micros, line.spent_micros,
           coalesce(today.spent_micros, 0) AS spent_today_micros,
           coalesce(held.micros, 0)::bigint AS issued_micros,
           campaign.budget_micros AS campaign_micros,
           campaign.spent_micros AS campaign_spent_micros,
           funds.budget_micros AS advertiser_micros, funds.spent_micros AS advertiser_spent_micros,
           least(l.ends_at, c.ends_at) AS ends_at, c.ends_at AS campaign_ends_at
    FROM budgeted_lines b
    JOIN unnest(%(zones)s::text[], %(days)s::integer[]) AS z (zone, day) USING (zone)
    JOIN line_items l ON l.line_item_id = b.line_id
    JOIN campaigns c ON c.campaign_id = b.campaign_id
    JOIN spending line ON (line.scope, line.id, line.day) = ('line', b.line_id, 0)
    JOIN spending campaign
      ON (campaign.scope, campaign.id, campaign.day) = ('campaign', b.campaign_id, 0)
    JOIN spending funds
      ON (funds.scope, funds.id, funds.day) = ('advertiser', b.advertiser_id, 0)
    LEFT JOIN spending today
      ON (today.scope, today.id, today.day) = ('line_day', b.line_id, z.day)
    LEFT JOIN (
        SELECT line_id, day, sum(amount_micros - spent_micros) AS micros FROM leases
        WHERE is_open AND tokens_until_ms > %(reported)s AND serves_until_ms <= %(now)s
        GROUP BY line_id, day
    ) AS held ON held.line_id = b.line_id AND held.day = z.day
    WHERE b.may_spend
    ORDER BY b.line_id
"""

_PUBLISHED = "SELECT line_id, multiplier FROM ad_pacing"

_PUBLISH = """
    WITH version AS (
        SELECT greatest(coalesce(max(published), 0) + 1, clock_ms()) AS published FROM ad_pacing
    ), told AS (
        INSERT INTO ad_pacing (line_id, multiplier, published)
        SELECT line_id, multiplier, published
        FROM version, unnest(%s::uuid[], %s::float8[]) AS new (line_id, multiplier)
        ON CONFLICT (line_id) DO UPDATE
        SET multiplier = excluded.multiplier, published = excluded.published
    )
    SELECT published, pg_notify('ad_pacing', published::text) FROM version
"""

_PLANS = "SELECT line_id, day, mode, budget_micros, shape, passed, reached FROM pacing_plans"

_KEEP = """
    INSERT INTO pacing_plans (line_id, day, mode, budget_micros, shape, passed, reached)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (line_id) DO UPDATE
    SET day = excluded.day, mode = excluded.mode, budget_micros = excluded.budget_micros,
        shape = excluded.shape, passed = excluded.passed, reached = excluded.reached
"""

# The past stays as it was planned then; what was never planned begins where the plan does.
_KEEP_DAYS = """
    INSERT INTO pacing_days (line_id, day, mode, budget_micros, planned, multipliers)
    VALUES (%(line_id)s, %(day)s, %(mode)s, %(budget_micros)s, %(planned)s, %(multipliers)s)
    ON CONFLICT (line_id, day) DO UPDATE
    SET mode = excluded.mode, budget_micros = excluded.budget_micros,
        planned = ARRAY(
            SELECT CASE WHEN n <= %(half)s + 1 THEN coalesce(was, now) ELSE now END
            FROM unnest(pacing_days.planned, excluded.planned) WITH ORDINALITY AS of (was, now, n)
            ORDER BY n
        ),
        multipliers = ARRAY(
            SELECT coalesce(now, was)
            FROM unnest(pacing_days.multipliers, excluded.multipliers)
            WITH ORDINALITY AS of (was, now, n) ORDER BY n
        )
"""


class PacedLine(NamedTuple):
    """A line that may spend now. Amounts are in micros; `day` is the ordinal of its present day.

    `issued_micros` is what may still be charged of what servers have just issued.
    """

    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    zone: str
    day: int
    mode: Mode
    guaranteed: bool
    daily_micros: int | None
    lifetime_micros: int
    spent_micros: int
    spent_today_micros: int
    issued_micros: int
    campaign_micros: int
    campaign_spent_micros: int
    advertiser_micros: int
    advertiser_spent_micros: int
    ends_at: datetime | None
    campaign_ends_at: datetime | None


class LinePlan(NamedTuple):
    """What a line is to spend on a day, and by when; see `ads.targets.onward`."""

    line_id: UUID
    day: int
    mode: Mode
    budget_micros: int
    shape: NDArray[np.float64]
    passed: float
    reached: float


class PlannedDay(NamedTuple):
    """A day of a line from the present `half` hour on; before it, nothing is told.

    `planned` is what is to be spent by the beginning of the day, and by the end of each half hour;
    `multipliers` is the part of its bid that the line bids in the present one.
    """

    line_id: UUID
    day: int
    mode: Mode
    budget_micros: int
    half: int
    planned: Sequence[int | None]
    multipliers: Sequence[float | None]


def now_ms(connection: Connection[TupleRow]) -> int:
    """Return the time of the database, which leases and days go by."""
    row = connection.execute(_CLOCK).fetchone()
    return int(row[0]) if row else 0


def paced_lines(connection: Connection[TupleRow], at_ms: int) -> Sequence[PacedLine]:
    """Return the lines that may spend, and how much of everything they have spent."""
    zones = [zone for (zone,) in connection.execute(_ZONES)]
    days = [day_of(at_ms, ZoneInfo(zone)).toordinal() for zone in zones]
    with connection.cursor(row_factory=class_row(PacedLine)) as cursor:
        reported_ms = at_ms + TOKEN_LIFE_MS - _REPORTED_WITHIN_MS
        asked = {"zones": zones, "days": days, "now": at_ms, "reported": reported_ms}
        return cursor.execute(_LINES, asked).fetchall()


def published(connection: Connection[TupleRow]) -> dict[UUID, float]:
    """Return what was published last, of every line that ever was."""
    return dict(connection.execute(_PUBLISHED).fetchall())


def publish(connection: Connection[TupleRow], multipliers: Mapping[UUID, float]) -> int:
    """Publish other multipliers, as one version, and return it; whoever listens is told."""
    row = connection.execute(_PUBLISH, ([*multipliers], [*multipliers.values()])).fetchone()
    return int(row[0]) if row else 0


def plans(connection: Connection[TupleRow]) -> dict[UUID, LinePlan]:
    """Return the plans as they were kept last, by lines."""
    kept = [LinePlan(*row) for row in connection.execute(_PLANS)]
    return {plan.line_id: plan._replace(shape=np.array(plan.shape)) for plan in kept}


def keep_plans(connection: Connection[TupleRow], made: Iterable[LinePlan]) -> None:
    """Keep plans for whoever paces next."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_KEEP, [(*plan[:4], plan.shape.tolist(), *plan[5:]) for plan in made])


def keep_days(connection: Connection[TupleRow], planned: Iterable[PlannedDay]) -> None:
    """Keep days for advertisers to see; what is over stays as it was planned."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_KEEP_DAYS, [day._asdict() for day in planned])
