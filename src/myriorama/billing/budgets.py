"""Budgets as advertisers set them: the read side's line items and campaigns, brought to `spending`.

What differs is found by comparing, so nothing has to be remembered: it may be done at any time, by
anyone, again, and from the middle. Nothing else decides what may be spent.

Ads that were shown for what a cut has taken are free. Whoever cut and raised by turns would have
many, so until the last of them is over nothing of an advertiser is raised, and nothing begins.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from myriorama.billing.spending import UNLIMITED_MICROS, BudgetedLine, put_line, set_cap

READ_FROM = frozenset({"advertisers", "campaigns", "line_items"})
"""The projections whose tables budgets are read from."""

_CAMPAIGNS = """
    WITH differing AS MATERIALIZED (
        SELECT c.campaign_id, c.advertiser_id, s.budget_micros AS present_micros,
               coalesce(c.budget_micros, %(unlimited)s) AS micros
        FROM campaigns c
        LEFT JOIN spending s ON (s.scope, s.id, s.day) = ('campaign', c.campaign_id, 0)
        WHERE s.budget_micros IS DISTINCT FROM coalesce(c.budget_micros, %(unlimited)s)
    )
    SELECT campaign_id, advertiser_id, micros FROM differing
    WHERE micros < present_micros OR NOT was_just_cut(advertiser_id)
    ORDER BY campaign_id
"""

# Drafts have spent nothing and spend nothing. What has spent keeps its budgets when it is paused,
# completed, or over: what was shown before is still settled.
_LINES = """
    WITH differing AS MATERIALIZED (
        SELECT wanted.*, b.daily_micros AS present_daily, s.budget_micros AS present_lifetime,
               b.may_spend AS might_spend
        FROM (
            SELECT l.line_item_id AS line_id, l.campaign_id, l.advertiser_id, a.zone,
                   coalesce(l.daily_budget_micros, %(unlimited)s) AS daily,
                   l.lifetime_budget_micros AS lifetime,
                   l.stage = 'submitted' AND c.state = 'active'
                   AND coalesce(least(l.ends_at, c.ends_at) > clock_timestamp(), true) AS may_spend
            FROM line_items l JOIN campaigns c USING (campaign_id)
            JOIN advertisers a ON a.advertiser_id = l.advertiser_id
            WHERE l.stage <> 'draft'
        ) AS wanted LEFT JOIN budgeted_lines b USING (line_id, campaign_id, advertiser_id, zone)
        LEFT JOIN spending s ON (s.scope, s.id, s.day) = ('line', line_id, 0)
        WHERE (b.daily_micros, b.may_spend, s.budget_micros)
              IS DISTINCT FROM (wanted.daily, wanted.may_spend, wanted.lifetime)
    ), followed AS (
        SELECT *, CASE WHEN is_cut THEN least(daily, present_daily) ELSE daily END AS daily_micros,
               CASE WHEN is_cut THEN least(lifetime, present_lifetime) ELSE lifetime END
                   AS lifetime_micros
        FROM differing, LATERAL (SELECT was_just_cut(advertiser_id) AS is_cut) AS just
        WHERE NOT is_cut OR present_lifetime IS NOT NULL
    )
    SELECT line_id, campaign_id, advertiser_id, zone, daily_micros, lifetime_micros, may_spend
    FROM followed
    WHERE (present_daily, might_spend, present_lifetime)
          IS DISTINCT FROM (daily_micros, may_spend, lifetime_micros)
    ORDER BY line_id
"""

_SPENT = """
    SELECT l.line_item_id, s.spent_micros FROM line_items l
    JOIN spending s ON (s.scope, s.id, s.day) = ('line', l.line_item_id, 0)
    WHERE l.stage IN ('submitted', 'paused') AND l.exhausted_micros < l.lifetime_budget_micros
      AND s.spent_micros >= l.lifetime_budget_micros
    ORDER BY l.line_item_id
"""


class Exhausted(NamedTuple):
    """A line whose lifetime budget is spent, though the log does not say so yet."""

    line_id: UUID
    spent_micros: int


def follow(connection: Connection[TupleRow]) -> int:
    """Set every budget that is not as its advertiser has set it; return how many were not.

    A budget that is cut below what is held takes that from the leases, see `billing.spending`.

    Raises:
        psycopg.OperationalError: PostgreSQL is not there: what was done is done, do it again.
    """
    unlimited = {"unlimited": UNLIMITED_MICROS}
    campaigns = connection.execute(_CAMPAIGNS, unlimited).fetchall()
    for campaign_id, advertiser_id, micros in campaigns:
        set_cap(connection, "campaign", campaign_id, micros, advertiser_id=advertiser_id)
    with connection.cursor(row_factory=class_row(BudgetedLine)) as cursor:
        lines = cursor.execute(_LINES, unlimited).fetchall()
    for line in lines:
        put_line(connection, line)
    return len(campaigns) + len(lines)


def exhausted(connection: Connection[TupleRow]) -> Sequence[Exhausted]:
    """Return the lines whose lifetime spend has reached their budget, to be noted in the log."""
    return [Exhausted(*row) for row in connection.execute(_SPENT)]
