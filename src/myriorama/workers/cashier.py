"""The cashier: asks Stripe for what is due, takes in what it reported, and looks for what is lost.

One process at a time. It keeps nothing but when it asked last: what is unsettled is read from the
tables, so it may be killed at any moment and begin again. Whoever opens pages and pays on none
keeps nobody waiting: advertisers take turns, and what is to be submitted has turns of its own. What
has come in is what servers may spend, from then on.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
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
    SELECT top_up_id, advertiser_id, state, changed_at FROM top_ups
    WHERE state NOT IN ('succeeded', 'failed') ORDER BY requested_position
"""

# What an advertiser may spend at most in all is what they have ever paid in.
_FUNDED = """
    SELECT advertiser_id, topped_up_micros, position FROM wallets WHERE position > %s
    ORDER BY position
"""

_POLL_S = 0.5
_NOTICES_EVERY_S = 600.0
# It is asked again after a tenth of the time for which nothing has changed: soon at first, and less
# and less often, least of all after a page that nobody pays on.
_AGAIN_SHARE, _AGAIN_S_MIN, _AGAIN_S_MAX, _PAGE_AGAIN_S_MAX = 0.1, 1.0, 60.0, _NOTICES_EVERY_S
# So many are submitted in a round, and so many looked at: then reports and new ones have a turn.
_TURNS = 8
# Asked for once more, further back than it can have taken to be listed.
_OVERLAP_S = 3 * 86_400

Notices = Callable[[Sequence[str], int], Sequence[Notice]]
"""Returns what the rail reported of these types since an instant, in seconds."""


class Unsettled(NamedTuple):
    """A top-up of which something is to be asked, and since when it is as it is."""

    top_up_id: UUID
    advertiser_id: UUID
    state: str
    changed_at: datetime

    @property
    def is_to_submit(self) -> bool:
        """Whether Stripe is not known to have been asked for the money."""
        return self.state in {"requested", "submitted"}

    def pause_s(self, at: datetime) -> float:
        """Return how long to leave it alone after it was asked for."""
        longest_s = _PAGE_AGAIN_S_MAX if self.state == "open" else _AGAIN_S_MAX
        unchanged_s = (at - self.changed_at).total_seconds()
        return min(longest_s, max(_AGAIN_S_MIN, _AGAIN_SHARE * unchanged_s))


class Cashier:
    """Works as one who is elected."""

    def __init__(self, top_ups: TopUps, reports: Reports, notices: Notices) -> None:
        self._top_ups = top_ups
        self._reports = reports
        self._notices = notices
        self._asked_s: dict[UUID, float] = {}  # by top-ups, and by advertisers
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
        unsettled = [Unsettled(*row) for row in connection.execute(_UNSETTLED)]
        self._advance(unsettled, stopping)
        self._fund(connection)
        if time.monotonic() - self._looked_s >= _NOTICES_EVERY_S:
            self._looked_s = time.monotonic()
            self._look_for_lost()

    def _advance(self, unsettled: Sequence[Unsettled], stopping: threading.Event) -> None:
        known = {each_id for each in unsettled for each_id in each[:2]}
        self._asked_s = {each: asked_s for each, asked_s in self._asked_s.items() if each in known}
        due = self._due(unsettled)
        to_submit = self._in_turn([each for each in due if each.is_to_submit])
        to_look_at = self._in_turn([each for each in due if not each.is_to_submit])
        for top_up_id, advertiser_id, *_ in (*to_submit[:_TURNS], *to_look_at[:_TURNS]):
            if stopping.is_set():
                return
            self._asked_s[top_up_id] = self._asked_s[advertiser_id] = time.monotonic()
            try:
                self._top_ups.advance(top_up_id, at=datetime.now(UTC))
            except (RailSilent, RailRefused, DomainError) as error:
                logger.warning("a top-up waits", top_up=str(top_up_id), error=str(error))

    def _due(self, unsettled: Sequence[Unsettled]) -> Sequence[Unsettled]:
        """Return what may be asked for now: of each advertiser what has waited longest is first."""
        at, now_s = datetime.now(UTC), time.monotonic()
        due = [
            each
            for each in unsettled
            if now_s - self._last_asked_s(each.top_up_id) >= each.pause_s(at)
        ]
        return sorted(due, key=lambda each: self._last_asked_s(each.top_up_id))

    def _in_turn(self, due: Sequence[Unsettled]) -> Sequence[Unsettled]:
        """Order so that advertisers take turns, and who had theirs longest ago begins."""
        before = Counter[UUID]()
        places = list[tuple[int, float, Unsettled]]()
        for each in due:
            asked_s = self._last_asked_s(each.advertiser_id)
            places.append((before[each.advertiser_id], asked_s, each))
            before[each.advertiser_id] += 1
        return [each for *_, each in sorted(places, key=lambda place: place[:2])]

    def _last_asked_s(self, of: UUID) -> float:
        return self._asked_s.get(of, float("-inf"))

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
