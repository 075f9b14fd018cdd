"""The judge of traffic: gives back what was charged for crowds that are none, now and then.

Part of the settler's program: it alone writes what is charged and given back, and its outbox tells
of both in the order of each line.
"""

import threading

import structlog
from prometheus_client import Counter
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.billing.outliers import credit_outliers

logger = structlog.get_logger(__name__)

_EVERY_S = 900.0

_CREDITED = Counter(
    "myriorama_ad_credited_micros", "What was given back of invalid traffic", ["rule"]
)


class TrafficJudge:
    """Works as one who is elected; it keeps nothing."""

    def __init__(self, *, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Judge until told to stop."""
        while not stopping.is_set():
            for rule, micros in credit_outliers(connection).items():
                logger.info("invalid traffic is credited", rule=rule, micros=micros)
                _CREDITED.labels(rule).inc(micros)
            stopping.wait(self._every_s)
