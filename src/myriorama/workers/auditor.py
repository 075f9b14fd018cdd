"""The auditor: looks each minute whether budgets, leases and charges agree.

Beside the settler, not in it: nothing waits for a look, however long it takes.
"""

import threading
import time

from prometheus_client import Gauge
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.billing.drift import Drift

_EVERY_S = 60.0

_RESTS = 20
"""So many times longer than a look it rests at least: it takes little of what PostgreSQL has."""

_DRIFT = Gauge("myriorama_ledger_drift_micros", "By how much budgets, leases and charges disagree")


class Auditor:
    """Works as one who is elected. It changes nothing."""

    def __init__(self, *, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Look until told to stop."""
        drift = Drift(connection)
        while not stopping.is_set():
            began_s = time.monotonic()
            _DRIFT.set(drift.look())
            stopping.wait(max(self._every_s, _RESTS * (time.monotonic() - began_s)))
