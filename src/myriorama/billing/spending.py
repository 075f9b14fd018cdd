"""Budgets: what an advertiser, a campaign, a line item and each of its days may hold and spend.

`held + spent <= cap` is a constraint of the table. Every change begins with the lock of the
advertiser, so that nothing of theirs moves meanwhile; before it stands only that of the line that
is to spend. From the moment a budget is cut, nothing is
charged beyond it: what servers hold beyond it is taken from their leases, the newest first.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.days import day_of

Scope = Literal["advertiser", "campaign", "line", "line_day"]

UNLIMITED_MICROS = 2**60
"""More than any wallet has: the budget of what has none of its own."""

_PUT_LINE = """
    INSERT INTO budgeted_lines (line_id, campaign_id, advertiser_id, zone, daily_micros, may_spend)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (line_id) DO UPDATE
    SET zone = excluded.zone, daily_micros = excluded.daily_micros, may_spend = excluded.may_spend
"""

_KNOW = """
    INSERT INTO spending (scope, id, day, budget_micros, cap_micros)
    VALUES ('advertiser', %s, 0, 0, 0) ON CONFLICT DO NOTHING
"""

_LOCK = "SELECT lock_advertisers(ARRAY[%s])"

_DAYS = """
    SELECT day FROM spending WHERE scope = 'line_day' AND id = %s AND day >= %s ORDER BY day
"""

_EXCESS = """
    SELECT held_micros - greatest(0, %s - spent_micros) FROM spending
    WHERE scope = %s AND id = %s AND day = %s
"""

_OPEN = """
    SELECT lease_id, amount_micros, spent_micros FROM leases
    WHERE is_open AND amount_micros > spent_micros AND advertiser_id = %(advertiser)s
      AND CASE %(scope)s WHEN 'advertiser' THEN advertiser_id WHEN 'campaign' THEN campaign_id
                         ELSE line_id END = %(id)s
      AND %(day)s IN (0, day)
    ORDER BY lease_id DESC
"""

_SHRINK = "SELECT shrink_leases(%s::bigint[], %s::bigint[], false)"

_CUT = "UPDATE leases SET is_cut = true WHERE lease_id = ANY(%s)"

_PUT = """
    INSERT INTO spending AS s (scope, id, day, budget_micros, cap_micros)
    VALUES (%(scope)s, %(id)s, %(day)s, %(budget)s, %(budget)s)
    ON CONFLICT (scope, id, day) DO UPDATE
    SET budget_micros = %(budget)s, cap_micros = greatest(%(budget)s, s.spent_micros)
"""

_CLOCK = "SELECT clock_ms()"

_OF = """
    SELECT scope, id, day, budget_micros, cap_micros, held_micros, spent_micros FROM spending
    WHERE scope = %s AND id = %s ORDER BY day
"""

# What was charged and not credited is what is spent, and what is left in leases is what is held:
# of every budget, and of every lease.
_DRIFT = """
    WITH kept AS (
        SELECT k.scope, k.id, k.day, sum(m.held) AS held, sum(m.spent) AS spent
        FROM (
            SELECT l.line_id, l.day, l.campaign_id, l.advertiser_id,
                   l.amount_micros - l.spent_micros AS held, 0 AS spent FROM leases l
            UNION ALL
            SELECT l.line_id, l.day, l.campaign_id, l.advertiser_id, 0,
                   c.micros - coalesce(r.micros, 0)
            FROM charges c JOIN leases l USING (lease_id)
            LEFT JOIN credits r USING (decision_id, beacon, is_marked) WHERE c.micros > 0
        ) AS m (line_id, day, campaign_id, advertiser_id, held, spent),
        LATERAL (VALUES ('line_day', line_id, day), ('line', line_id, 0),
                        ('campaign', campaign_id, 0), ('advertiser', advertiser_id, 0)
        ) AS k (scope, id, day)
        GROUP BY 1, 2, 3
    ), leased AS (
        SELECT sum(abs(l.spent_micros - coalesce(c.micros, 0))) AS micros
        FROM leases l LEFT JOIN (
            SELECT lease_id, sum(micros) AS micros FROM charges GROUP BY 1
        ) AS c USING (lease_id)
    )
    SELECT coalesce(sum(abs(coalesce(s.held_micros, 0) - coalesce(kept.held, 0))
                        + abs(coalesce(s.spent_micros, 0) - coalesce(kept.spent, 0))), 0)
           + coalesce((SELECT micros FROM leased), 0)
    FROM spending s FULL JOIN kept USING (scope, id, day)
"""


class BudgetedLine(NamedTuple):
    """A line item with budgets: whose it is, the zone of its days, and whether it may spend.

    One that may not is granted no lease; what servers hold of it may still be charged.
    """

    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    zone: str
    daily_micros: int = UNLIMITED_MICROS
    lifetime_micros: int = UNLIMITED_MICROS
    may_spend: bool = True


class Spending(NamedTuple):
    """A budget, and what became of it. `day` is an ordinal, 0 for what is no day."""

    scope: Scope
    id: UUID
    day: int
    budget_micros: int
    cap_micros: int
    held_micros: int
    spent_micros: int


def put_line(
    connection: Connection[TupleRow], line: BudgetedLine, *, now_ms: int | None = None
) -> None:
    """Let a line item spend, or give it other budgets; the daily one holds from today on."""
    daily_micros = line.daily_micros
    with connection.transaction():
        # In the order in which leases are granted: the line, then its advertiser.
        row = (line.line_id, line.campaign_id, line.advertiser_id, line.zone, daily_micros)
        connection.execute(_PUT_LINE, (*row, line.may_spend))
        _lock(connection, line.advertiser_id)
        today = day_of(now_ms or _clock_ms(connection), ZoneInfo(line.zone)).toordinal()
        of_line = (line.line_id, line.advertiser_id)
        for (day,) in connection.execute(_DAYS, (line.line_id, today)).fetchall():
            _set(connection, "line_day", *of_line, daily_micros, day=day)
        _set(connection, "line", *of_line, line.lifetime_micros)


def set_cap(
    connection: Connection[TupleRow],
    scope: Literal["advertiser", "campaign"],
    id_: UUID,
    micros: int,
    *,
    advertiser_id: UUID,
) -> None:
    """Set all that an advertiser or a campaign may ever spend; once more is nothing.

    Of an advertiser these are the funds: all that was paid in, less what was paid back.
    """
    with connection.transaction():
        _lock(connection, advertiser_id)
        _set(connection, scope, id_, advertiser_id, micros)


def spending_of(connection: Connection[TupleRow], scope: Scope, id_: UUID) -> Sequence[Spending]:
    """Return a budget; of a line's days, all that had a part in anything."""
    return [Spending(*row) for row in connection.execute(_OF, (scope, id_))]


def drift_micros(connection: Connection[TupleRow]) -> int:
    """Return by how much budgets, leases and charges disagree: 0, or something is broken."""
    row = connection.execute(_DRIFT).fetchone()
    return int(row[0]) if row else 0


def _lock(connection: Connection[TupleRow], advertiser_id: UUID) -> None:
    connection.execute(_KNOW, (advertiser_id,))
    connection.execute(_LOCK, (advertiser_id,))


def _set(  # noqa: PLR0913 - a budget is named by where it stands
    connection: Connection[TupleRow],
    scope: Scope,
    id_: UUID,
    advertiser_id: UUID,
    micros: int,
    *,
    day: int = 0,
) -> None:
    row = connection.execute(_EXCESS, (micros, scope, id_, day)).fetchone()
    excess = int(row[0]) if row else 0
    ids, kept = list[int](), list[int]()
    if excess > 0:
        named = {"scope": scope, "id": id_, "advertiser": advertiser_id, "day": day}
        for lease_id, amount, spent in connection.execute(_OPEN, named).fetchall():
            taken = min(excess, amount - spent)
            ids.append(lease_id)
            kept.append(amount - taken)
            excess -= taken
            if not excess:
                break
        connection.execute(_SHRINK, (ids, kept))
        connection.execute(_CUT, (ids,))
    connection.execute(_PUT, {"scope": scope, "id": id_, "day": day, "budget": micros})


def _clock_ms(connection: Connection[TupleRow]) -> int:
    row = connection.execute(_CLOCK).fetchone()
    return int(row[0]) if row else 0
