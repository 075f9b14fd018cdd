"""What is read of one viewer for ads: who they said they are, what they like, what they were shown.

Asked together, and answered in one round trip.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.feed.known_viewers import Showing

_FACTS = """
    SELECT age_band, coalesce(p.personalised, true) FROM accounts a
    LEFT JOIN personalisation p USING (account_id) WHERE a.account_id = %s
"""

# What they liked lately by its hashtags, and what they asked to see more of. `position` is that of
# their last choice: what was liked before they had their history forgotten says nothing, nor does,
# where they have switched something since, what was liked before that.
_INTERESTS = """
    SELECT DISTINCT tag FROM video_hashtags JOIN (
        SELECT video_id FROM reactions WHERE account_id = %(viewer)s AND liked
        AND position > coalesce((SELECT position FROM personalisation
                                 WHERE account_id = %(viewer)s AND forgotten_at IS NOT NULL), 0)
        ORDER BY position DESC LIMIT 100
    ) AS lately USING (video_id) WHERE tag <> ''
    UNION
    SELECT unnest(terms) FROM steering_rules
    WHERE account_id = %(viewer)s AND kind = 'boost' AND (expires_at IS NULL OR expires_at > now())
"""

# The first beacon is the viewable impression; what is marked was seen by nobody. It goes as far
# back as caps count: the bound is for whoever is shown more than a hundred a day, all the time.
_SHOWN = """
    SELECT ad_decision_id, line_id, campaign_id, advertiser_id, creative_id,
           (extract(epoch FROM decided_at) * 1000)::bigint, expires_ms,
           EXISTS (SELECT FROM charges c WHERE c.decision_id = d.ad_decision_id AND c.beacon = 1
                                           AND c.mark IS NULL)
    FROM ad_decisions d
    WHERE viewer_id = %s AND decided_at > to_timestamp(%s / 1000.0) - interval '90 days'
    ORDER BY decided_at DESC LIMIT 10000
"""


class Told(NamedTuple):
    """A viewer as they are read. `shown` is the newest first, each with whether it was seen."""

    age_band: str
    is_personalised: bool
    tags: Sequence[str]
    shown: Sequence[tuple[Showing, bool]]


async def told_of(
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]], account_id: UUID, now_ms: int
) -> Told:
    """Read what is told of an account.

    Raises:
        psycopg.OperationalError: PostgreSQL is not there.
    """
    async with pool.connection() as connection, connection.pipeline():
        facts = await connection.execute(_FACTS, (account_id,))
        interests = await connection.execute(_INTERESTS, {"viewer": account_id})
        shown = await connection.execute(_SHOWN, (account_id, now_ms))
        age_band, is_personalised = await facts.fetchone() or ("", False)
        tags = [row[0] for row in await interests.fetchall()]
        showings = [(showing_of(*row), is_seen) for *row, is_seen in await shown.fetchall()]
        return Told(age_band, is_personalised, tags, showings)


def showing_of(  # noqa: PLR0913, PLR0917 - a row
    ad_decision_id: UUID,
    line_id: UUID,
    campaign_id: UUID,
    advertiser_id: UUID,
    creative_id: UUID,
    decided_ms: int,
    expires_ms: int,
) -> Showing:
    """Return a showing that is on record."""
    counts_for = (line_id.int, campaign_id.int, advertiser_id.int, creative_id.int)
    return Showing(ad_decision_id, counts_for, decided_ms, expires_ms)
