"""The settler: settles what was reported of ads, records it, and takes leases back that have ended.

One settles at a time. It keeps nothing: it may be killed at any moment and begin again.
"""

import threading
import time

from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.tokens import Tokens
from myriorama.billing.leases import reclaim
from myriorama.billing.outbox import Outbox
from myriorama.billing.settlement import Settled, Settlement

_POLL_S = 1.0
_RECLAIM_EVERY_S = 1.0

_REPORTS = Counter("myriorama_ad_reports", "Reports of ads settled", ["outcome"])
_MICROS = Counter("myriorama_ad_micros", "What was settled of ads", ["outcome"])
_LAG = Gauge("myriorama_settlement_lag_seconds", "How old the oldest unsettled report may be")


class Settler:
    """Works as one who is elected."""

    def __init__(self, tokens: Tokens, outbox: Outbox) -> None:
        self._tokens = tokens
        self._outbox = outbox
        self._reclaim_due_s = 0.0

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Settle until told to stop."""
        settlement = Settlement(connection, self._tokens)
        connection.execute("LISTEN ad_events")
        while not stopping.is_set():
            if self.step(connection, settlement).is_last:
                _await_news(connection)

    def step(self, connection: Connection[TupleRow], settlement: Settlement) -> Settled:
        """Settle one batch and record it; take back what has ended, now and then."""
        settled = settlement.settle()
        _tally(settled)
        _LAG.set(0.0 if settled.is_last else max(0.0, time.time() - settled.until_ms / 1000))
        while self._outbox.publish():
            pass
        now_s = time.monotonic()
        if now_s >= self._reclaim_due_s:
            self._reclaim_due_s = now_s + _RECLAIM_EVERY_S
            reclaim(connection, settled_ms=settled.until_ms)
            settlement.give_up(settled_ms=settled.until_ms)
        return settled


def _tally(settled: Settled) -> None:
    for outcome, reports, micros in (
        ("charged", settled.charged, settled.micros),
        ("leaked", settled.leaked, settled.leaked_micros),
        ("refused", settled.refused, 0),
    ):
        _REPORTS.labels(outcome).inc(reports)
        _MICROS.labels(outcome).inc(micros)


def _await_news(connection: Connection[TupleRow]) -> None:
    """Return when something was reported: the notification is a hint, the poll a guarantee."""
    for _ in connection.notifies(timeout=_POLL_S, stop_after=1):
        return
