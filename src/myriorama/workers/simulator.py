"""The simulator: plays the traffic that sandboxes ask for, and reports what comes of it.

Part of the pacer's program. One plays at a time, and keeps nothing that is not in PostgreSQL, too:
whoever takes over goes on behind the last page that was stored.
"""

import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import structlog
from prometheus_client import Counter
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

from ads.index import Index
from ads.invalid_traffic import InvalidTraffic
from ads.simulation import RIVALS
from ads.tokens import Tokens
from ads.warming import warm_up
from myriorama.billing.leases import Leases
from myriorama.billing.simulated_pages import (
    Simulation,
    end,
    fail,
    keep,
    report_due,
    start,
    under_way,
)
from myriorama.billing.spending import set_cap
from myriorama.feed.ad_lines import read_servable
from myriorama.store.postgres import Pool
from myriorama.workers.simulated_traffic import SimulatedTraffic

logger = structlog.get_logger(__name__)

_PAGES_AT_ONCE = 20
_POLL_S = 1.0
_STEP_S = 0.1
_READ_EVERY_S = 1.0

_PACING = "SELECT line_id, multiplier FROM ad_pacing"

# What a sandbox may spend at most in all is what it has ever taken.
_FUNDED = """
    SELECT w.topped_up_micros FROM wallets w
    LEFT JOIN spending s ON (s.scope, s.id, s.day) = ('advertiser', w.advertiser_id, 0)
    WHERE w.advertiser_id = %s AND w.sandbox
      AND s.budget_micros IS DISTINCT FROM w.topped_up_micros
"""

_UNBUDGETED = """
    SELECT FROM line_items l JOIN campaigns c USING (campaign_id)
    WHERE l.advertiser_id = %s AND l.stage = 'submitted' AND c.state = 'active'
      AND coalesce(least(l.ends_at, c.ends_at) > clock_timestamp(), true)
      AND NOT EXISTS (SELECT FROM budgeted_lines b JOIN spending s
                        ON (s.scope, s.id, s.day) = ('campaign', l.campaign_id, 0)
                      WHERE b.line_id = l.line_item_id AND b.may_spend)
    LIMIT 1
"""

_PAGES = Counter("myriorama_simulated_pages", "Pages that were simulated for sandboxes")
_REPORTS = Counter("myriorama_simulated_reports", "Reports that were simulated for sandboxes")


@dataclass
class _Playing:
    """A simulation that this process plays, and the index that it is played by."""

    traffic: SimulatedTraffic
    index: Index = field(default_factory=lambda: Index.of((), {}, 0))
    read_s: float = float("-inf")


class Simulator:
    """Works as one who is elected."""

    def __init__(self, pool: Pool, tokens: Tokens, invalid_traffic: InvalidTraffic) -> None:
        """Take the pool that leases are granted over, and what signs and judges."""
        self._leases = Leases(pool, f"simulator {socket.gethostname()}:{os.getpid()}")
        self._tokens = tokens
        self._invalid_traffic = invalid_traffic
        self._playing: dict[UUID, _Playing] = {}
        self._is_warm = False

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Play until told to stop."""
        connection.execute("LISTEN ad_simulations")
        try:
            while not stopping.is_set():
                if self.step(connection):
                    stopping.wait(_STEP_S)
                else:
                    _await_request(connection)
        finally:
            self._leave({})

    def step(self, connection: Connection[TupleRow]) -> int:
        """Play once what is due of each simulation; return how many are under way."""
        found = {each.simulation_id: each for each in under_way(connection)}
        self._leave(found)
        for simulation in found.values():
            try:
                self._advance(connection, simulation)
            except (psycopg.OperationalError, PoolTimeout):
                raise
            except Exception:
                logger.exception("a simulation fails", simulation=str(simulation.simulation_id))
                fail(connection, simulation)
        return len(found)

    def _advance(self, connection: Connection[TupleRow], simulation: Simulation) -> None:
        _fund(connection, simulation)
        if simulation.started_at is None:
            if connection.execute(_UNBUDGETED, (simulation.advertiser_id,)).fetchone():
                return  # its lines were submitted just now, and may spend in a moment
            start(connection, simulation)
        playing = self._playing_of(connection, simulation)
        self._read(connection, simulation, playing)
        done = simulation.pages_done
        numbers = range(done, min(due_pages(simulation), done + _PAGES_AT_ONCE))
        if numbers:
            pages = playing.traffic.play(playing.index, numbers)
            if keep(connection, simulation, pages):
                _PAGES.inc(len(pages))
            else:
                self._close(simulation.simulation_id)
        reports = report_due(connection, simulation, self._tokens, self._invalid_traffic)
        _REPORTS.inc(reports)
        end(connection, simulation)

    def _playing_of(self, connection: Connection[TupleRow], simulation: Simulation) -> _Playing:
        known = self._playing.get(simulation.simulation_id)
        if known is None:
            if not self._is_warm:
                warm_up()
                self._is_warm = True
            traffic = SimulatedTraffic(simulation, self._leases, self._tokens)
            traffic.remember(connection)
            known = self._playing[simulation.simulation_id] = _Playing(traffic)
        return known

    @staticmethod
    def _read(connection: Connection[TupleRow], simulation: Simulation, playing: _Playing) -> None:
        """Read what the sandbox bids, at most once a second; the rest is made up."""
        now_s = time.monotonic()
        if now_s < playing.read_s + _READ_EVERY_S:
            return
        at = datetime.now(UTC)
        servable = read_servable(connection, at=at, sandbox=simulation.advertiser_id)
        multipliers: dict[UUID, float] = dict(connection.execute(_PACING).fetchall())
        lines = [*(each.line for each in servable), *RIVALS]
        version = int(at.timestamp() * 1000)
        playing.index = Index.of(lines, multipliers, version)
        playing.read_s = now_s

    def _leave(self, found: Mapping[UUID, Simulation]) -> None:
        """Give back what is held for simulations that are under way no more."""
        for simulation_id in [each for each in self._playing if each not in found]:
            self._close(simulation_id)

    def _close(self, simulation_id: UUID) -> None:
        self._playing.pop(simulation_id).traffic.close()


def due_pages(simulation: Simulation) -> int:
    """Return how many pages are to have been shown by now: evenly over the time."""
    if not simulation.minutes:
        return simulation.pages
    passed = simulation.elapsed_s / (60 * simulation.minutes)
    return min(simulation.pages, int(passed * simulation.pages))


def _fund(connection: Connection[TupleRow], simulation: Simulation) -> None:
    of = simulation.advertiser_id
    row = connection.execute(_FUNDED, (of,)).fetchone()
    if row is not None:
        set_cap(connection, "advertiser", of, row[0], advertiser_id=of)


def _await_request(connection: Connection[TupleRow]) -> None:
    """Return when something was asked for: the notification is a hint, the poll a guarantee."""
    for _ in connection.notifies(timeout=_POLL_S, stop_after=1):
        return
