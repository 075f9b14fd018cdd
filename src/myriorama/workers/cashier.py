"""The cashier: asks Stripe for what is due, takes in what it reported, and looks for what is lost.

One process at a time. It keeps nothing: what is unsettled is read from the tables, so it may be
killed at any moment and begin again. What has come in is what servers may spend, from then on.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.errors import DomainError
from domain.top_up.payments import RailRefused, RailSilent
from myriorama.application.top_ups import TopUps
from myriorama.billing.spending import set_cap
from myriorama.billing.stripe_rail import Notice
from myriorama.billing.webhooks import MONEY_TYPES, Reports

logger = structlog.get_logger(__name__)

_UNSETTLED = """
    SELECT top_up_id FROM top_ups WHERE state NOT IN ('succeeded', 'failed')
    ORDER BY requested_position LIMIT 1000
"""

# What an advertiser may spend at most in all is what they have ever paid in.
_FUNDED = """
    SELECT advertiser_id, topped_up_micros, position FROM wallets WHERE position > %s
    ORDER BY position
"""

_POLL_S = 0.5
_AGAIN_S_MIN, _AGAIN_S_MAX = 1.0, 60.0
_NOTICES_EVERY_S = 600.0
# Asked for once more, further back than it can have taken to be listed.
_OVERLAP_S = 3 * 86_400

Notices = Callable[[Sequence[str], int], Sequence[Notice]]
"""Returns what the rail reported of these types since an instant, in seconds."""


class Cashier:
    """Works as one who is elected."""

    def __init__(self, top_ups: TopUps, reports: Reports, notices: Notices) -> None:
        self._top_ups = top_ups
        self._reports = reports
        self._notices = notices
        self._again_s: dict[UUID, tuple[float, float]] = {}
        self._looked_s = float("-inf")
        self._funded = 0

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Work until told to stop."""
        while not stopping.is_set():
            self.step(connection, stopping)
            stopping.wait(_POLL_S)

    def step(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Do once what is due."""
        self._reports.work_off(datetime.now(UTC))
        unsettled = [top_up_id for (top_up_id,) in connection.execute(_UNSETTLED)]
        self._advance(unsettled, stopping)
        self._fund(connection)
        if time.monotonic() - self._looked_s >= _NOTICES_EVERY_S:
            self._looked_s = time.monotonic()
            self._look_for_lost()

    def _advance(self, unsettled: Sequence[UUID], stopping: threading.Event) -> None:
        now_s = time.monotonic()
        known = set(unsettled)
        self._again_s = {each: again for each, again in self._again_s.items() if each in known}
        for top_up_id in unsettled:
            due_s, pause_s = self._again_s.get(top_up_id, (now_s, _AGAIN_S_MIN))
            if due_s > now_s or stopping.is_set():
                continue
            longer_s = min(_AGAIN_S_MAX, 2 * pause_s)
            self._again_s[top_up_id] = (now_s + pause_s, longer_s)
            try:
                self._top_ups.advance(top_up_id, at=datetime.now(UTC))
            except (RailSilent, RailRefused, DomainError) as error:
                logger.warning("a top-up waits", top_up=str(top_up_id), error=str(error))

    def _fund(self, connection: Connection[TupleRow]) -> None:
        for advertiser_id, micros, position in connection.execute(_FUNDED, (self._funded,)):
            with connection.transaction():
                set_cap(
                    connection, "advertiser", advertiser_id, micros, advertiser_id=advertiser_id
                )
            self._funded = position

    def _look_for_lost(self) -> None:
        try:
            found = self._notices(MONEY_TYPES, int(time.time()) - _OVERLAP_S)
        except RailSilent as silent:
            logger.warning("Stripe does not say what it reported", error=str(silent))
            return
        if lost := self._reports.take_in(found):
            logger.warning("reports of Stripe were lost, and found", reports=lost)
