"""Wins elsewhere: when a seller bills, a bid becomes a showing, and what is reported of it counts.

One transaction stores the win, the showing in the view log, and what players have reported before
it. Whatever comes twice, or in another order, ends in the same rows.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from ads.record import AdRecord
from ads.surfaces import Surface
from ads.tokens import AdToken
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.store.identity import new_id
from myriorama.store.pages_elsewhere import PageElsewhere, recording

FEED = Surface.EXCHANGE.name.lower()
"""The feed of a page in the view log that was none of ours."""

# In a space of their own beside the locks of store/postgres.py, which are single numbers.
_TURN = "SELECT pg_advisory_xact_lock(127, hashtext(%s))"

_WIN = """
    INSERT INTO exchange_wins (ad_decision_id, viewer_id, line_id, campaign_id, advertiser_id,
                               creative_id, decided_ms, expires_ms, won_ms, cpm, token)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_ms(), %s, %s)
    ON CONFLICT DO NOTHING RETURNING true
"""

_WAITED = "DELETE FROM exchange_reports WHERE ad_decision_id = %s RETURNING beacon, mark"

_SIGNED = "SELECT token FROM exchange_wins WHERE ad_decision_id = %s"

_WAIT = """
    INSERT INTO exchange_reports (ad_decision_id, beacon, mark, expires_ms)
    VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

_FORGET = """
    DELETE FROM exchange_reports WHERE (ad_decision_id, beacon) IN (
        SELECT ad_decision_id, beacon FROM exchange_reports
        WHERE expires_ms < clock_ms() LIMIT 100 FOR UPDATE SKIP LOCKED)
"""


class Won(NamedTuple):
    """A bid that won: its record and its token at what an event of it costs, and what was told."""

    record: AdRecord
    viewer_id: UUID
    token: bytes
    cpm: Decimal


class ExchangeWins:
    """Stores what comes of bids."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        self._pool = pool

    async def win(self, won: Won) -> bool:
        """Store a win; False: it was stored before, and what was told then holds.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there; it may have been stored. Tell it
                again.
        """
        (shown,) = won.record.shown
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(_TURN, (shown.ad_decision_id.hex,))
            row = (
                shown.ad_decision_id,
                won.viewer_id,
                shown.line_id,
                shown.campaign_id,
                shown.advertiser_id,
                shown.creative_id,
                won.record.auction.at_ms,
                shown.expires_ms,
                won.cpm,
                won.token,
            )
            if await (await connection.execute(_WIN, row)).fetchone() is None:
                return False
            waited = await connection.execute(_WAITED, (shown.ad_decision_id,))
            reports = [Reported(beacon, won.token, mark) async for beacon, mark in waited]
            if reports:
                await connection.execute(APPEND, append_parameters(reports))
            page = PageElsewhere(new_id(), won.viewer_id, won.record.encode())
            for statement, parameters in recording(FEED, [page]):
                await connection.execute(statement, parameters)
        return True

    async def report(self, reports: Sequence[tuple[AdToken, Reported]]) -> None:
        """Store reports of ads elsewhere; those whose win is not told yet wait for it.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there; report them again.
        """
        async with self._pool.connection() as connection, connection.transaction():
            # In one order for all, so that nobody waits in a circle.
            for decision_id in sorted({token.decision_id.hex for token, _ in reports}):
                await connection.execute(_TURN, (decision_id,))
            believed = list[Reported]()
            for token, reported in reports:
                found = await connection.execute(_SIGNED, (token.decision_id,))
                row = await found.fetchone()
                if row is not None:
                    believed.append(Reported(reported.beacon, row[0], reported.mark))
                    continue
                waiting = (token.decision_id, reported.beacon, reported.mark, token.expires_ms)
                await connection.execute(_WAIT, waiting)
            if believed:
                await connection.execute(APPEND, append_parameters(believed))
            await connection.execute(_FORGET)
