"""The keeper of budgets: brings what advertisers set to what is granted, and notes what is spent.

Part of the settler's program, but beside it: an edit does not wait for a batch of reports.
"""

import threading
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.errors import DomainError
from myriorama.application.line_items import LineItems
from myriorama.billing.budgets import READ_FROM, exhausted, follow
from myriorama.store.projected import moved

logger = structlog.get_logger(__name__)

_POLL_S = 0.5

_FOLLOWED = Counter("myriorama_ad_budgets_followed", "Budgets set as advertisers have set them")
_EXHAUSTED = Counter("myriorama_ad_lines_exhausted", "Line items noted to have spent all they may")


class BudgetKeeper:
    """Works as one who is elected; it keeps nothing."""

    def __init__(self, line_items: LineItems) -> None:
        self._line_items = line_items

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Follow the read side until told to stop."""
        connection.execute("LISTEN projected")
        while not stopping.is_set():
            self.step(connection)
            _await_edit(connection)

    def step(self, connection: Connection[TupleRow]) -> None:
        """Do once what is due; what was done is not due any more."""
        _FOLLOWED.inc(follow(connection))
        for line_id, spent_micros in exhausted(connection):
            try:
                self._line_items.exhaust(line_id, spent_micros, at=datetime.now(UTC))
            except DomainError as error:
                logger.warning("a line was not noted", line=str(line_id), error=str(error))
            else:
                _EXHAUSTED.inc()


def _await_edit(connection: Connection[TupleRow]) -> None:
    """Return when something of budgets was folded: the notification is a hint."""
    for notify in connection.notifies(timeout=_POLL_S):
        if READ_FROM.intersection(moved(notify.payload)[1]):
            return
