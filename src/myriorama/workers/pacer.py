"""The pacer: publishes which part of its bid each line bids, so that budgets last as planned.

One paces at a time. A second one goes on with what the first has published and planned; without
any, bids stay as they are. No cap depends on it.
"""

import threading
import time
from datetime import UTC, datetime

from prometheus_client import Gauge, Histogram
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.index import Index
from ads.opportunities import coming
from myriorama.billing.pacing import (
    keep_days,
    keep_plans,
    now_ms,
    paced_lines,
    plans,
    publish,
    published,
)
from myriorama.feed.ad_chances import read_in_force
from myriorama.feed.ad_lines import READ_FROM, read_servable
from myriorama.feed.ad_recordings import Recordings
from myriorama.store.projected import moved
from myriorama.workers.pacing_plans import Pacing

_PLANNED_EVERY_S = 600.0
_PLANNED_AGAIN_S = 10.0

_LINES = Gauge("myriorama_pacing_lines", "Line items that are paced")
_VERSION = Gauge("myriorama_pacing_version", "The last version of multipliers that was published")
_SECONDS = Histogram("myriorama_pacing_seconds", "What a step of the pacer takes")


class Pacer:
    """Works as one who is elected."""

    def __init__(self, recordings: Recordings, *, every_s: float) -> None:
        """Take what the day is forecast from, and how often bids are adapted."""
        self._recordings = recordings
        self._every_s = every_s
        self._forecast_due_s = 0.0
        self._is_edited = True

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Pace until told to stop."""
        connection.execute("LISTEN projected")
        pacing = Pacing(published(connection), plans(connection))
        self._forecast_due_s, self._is_edited = 0.0, True
        while not stopping.is_set():
            with _SECONDS.time():
                self.step(connection, pacing)
            self._await(connection)

    def step(self, connection: Connection[TupleRow], pacing: Pacing) -> None:
        """Adapt the bids once to what is spent; look ahead anew, now and then."""
        at_ms = now_ms(connection)
        lines = paced_lines(connection, at_ms)
        self._look_ahead(connection, pacing, at_ms)
        stepped = pacing.step(lines, at_ms)
        if stepped.plans:
            keep_plans(connection, stepped.plans)
            keep_days(connection, stepped.days)
        if stepped.multipliers:
            _VERSION.set(publish(connection, stepped.multipliers))
        _LINES.set(len(lines))

    def _look_ahead(self, connection: Connection[TupleRow], pacing: Pacing, at_ms: int) -> None:
        now_s = time.monotonic()
        soon_s = self._forecast_due_s - _PLANNED_EVERY_S + _PLANNED_AGAIN_S
        if now_s < self._forecast_due_s and not (self._is_edited and now_s >= soon_s):
            return
        self._forecast_due_s, self._is_edited = now_s + _PLANNED_EVERY_S, False
        self._recordings.refresh(connection)
        servable = read_servable(connection, at=datetime.fromtimestamp(at_ms / 1000, UTC))
        lines = [one.line for one in servable]
        index = Index.of(lines, {}, 0, read_in_force(connection))
        days = pacing.days(index.lines, at_ms)
        pacing.expect(index.lines, coming(index, days, self._recordings.opportunities()))

    def _await(self, connection: Connection[TupleRow]) -> None:
        """Return when the next step is due, and remember whether lines were edited meanwhile."""
        names = {
            name
            for notify in connection.notifies(timeout=self._every_s)
            for name in moved(notify.payload)[1]
        }
        self._is_edited |= not names.isdisjoint(READ_FROM)
