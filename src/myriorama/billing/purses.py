"""What a server holds of budgets in memory: decisions take from it at once, and never wait.

Leases are fetched ahead of their use by a thread of their own. Who asks for more than there is gets
nothing, and is not kept waiting; the next page finds what was fetched meanwhile.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import isqrt
from types import TracebackType
from typing import Self
from uuid import UUID

import numpy as np
import psycopg
import structlog
from prometheus_client import Counter
from psycopg_pool import PoolTimeout

from ads.holds import Numbers
from myriorama.billing.leases import Lease, Lessor

logger = structlog.get_logger(__name__)

MARGIN_SIGMAS = 3
"""So many standard deviations of what may be clicked are held beyond what is expected."""

_MILLION = 1_000_000
_TICK_S = 0.05
_WANTED_TIMES_PRICE = 16
_WANTED_TIMES_PRICE_MAX = 4096
_RETRY_S, _RETRY_S_MAX = 0.1, 2.0
# This much of its time before a lease ends, the next one is fetched.
_AHEAD = 0.3
_TERMS_KEPT_S = 60.0
# A purse without leases that nobody has asked for so long is forgotten.
_IDLE_S = 60.0
# So many leases are ended at once, before those who decide have their turn again.
_ENDED_AT_ONCE = 50

_GRANTED = Counter("myriorama_ad_leases", "Leases asked for", ["outcome"])


def boot_clock_s() -> float:
    """Return a time that goes on while the machine sleeps, and is never set back."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class _Open:
    """A lease that is being spent, and the exposure of what was issued out of it."""

    lease: Lease
    asked_s: float
    sum_micros: int = 0
    largest_micros: int = 0
    mean_ppm: int = 0
    variance_ppm2: int = 0

    @property
    def ends_s(self) -> float:
        return self.asked_s + self.lease.serves_ms / 1000

    @property
    def renewal_s(self) -> float:
        return self.ends_s - _AHEAD * self.lease.serves_ms / 1000

    def issued(self) -> int:
        """Return what is held for all that was issued: as if all were billed, if all must be."""
        expected = -(-self.mean_ppm // _MILLION)
        margin = -(-MARGIN_SIGMAS * (isqrt(self.variance_ppm2) + 1) // _MILLION)
        if self.variance_ppm2 == 0:
            margin = 0
        return min(self.sum_micros, max(self.largest_micros, expected + margin))

    def left(self) -> int:
        return self.lease.micros - self.issued()

    def take(self, micros: int, ppm: int) -> bool:
        """Issue a token that bills `micros` with a probability; False: it does not fit."""
        before = (self.sum_micros, self.largest_micros, self.mean_ppm, self.variance_ppm2)
        self.sum_micros += micros
        self.largest_micros = max(self.largest_micros, micros)
        self.mean_ppm += micros * ppm
        self.variance_ppm2 += micros * micros * ppm * (_MILLION - ppm)
        if self.issued() <= self.lease.micros:
            return True
        self.sum_micros, self.largest_micros, self.mean_ppm, self.variance_ppm2 = before
        return False


@dataclass
class _Purse:
    """The leases of one line."""

    open: list[_Open] = field(default_factory=list[_Open])
    price_micros: int = 0
    wanted_micros: int = 0
    retry_s: float = _RETRY_S
    not_before_s: float = 0.0
    asked_s: float = 0.0

    def ready(self, now_s: float) -> list[_Open]:
        return [each for each in self.open if now_s < each.ends_s]

    def is_low(self, now_s: float) -> bool:
        """Whether more should be fetched: half of what was wanted is gone, or is about to end."""
        lasting = sum(each.left() for each in self.open if now_s < each.renewal_s)
        return lasting < max(self.price_micros, self.wanted_micros // 2)


class Purses:
    """All that one server holds. May be used by many threads."""

    def __init__(self, lessor: Lessor, *, clock_s: Callable[[], float] = boot_clock_s) -> None:
        self._lessor = lessor
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._purses: dict[UUID, _Purse] = {}
        # When the first lease of a line ends, and when a purse may be forgotten (without a lease).
        self._ends: list[tuple[float, int, UUID, _Open | None]] = []
        self._numbers = count()
        self._low: set[UUID] = set()
        self._owed: dict[int, int] = {}
        self._terms: dict[int, Lease] = {}
        self._ended: deque[tuple[float, int]] = deque()
        self._wake = threading.Event()
        self._rows = Rows(self, ())
        self._stopping = False
        self._thread: threading.Thread | None = None

    def hold(self, line_id: UUID, micros: int, *, probability: float = 1.0) -> int | None:
        """Take what one token may cost; return the lease that it names, or None.

        Args:
            line_id: which line item pays.
            micros: the price of what is billed.
            probability: of being billed. Below 1, as much is held as is expected of all that is
                held for, and three standard deviations; settlement sees to it that no more is
                charged than there is.
        """
        now_s = self._clock_s()
        ppm = min(_MILLION, max(1, -int(-probability * _MILLION // 1)))
        with self._lock:
            purse = self._purses.get(line_id)
            if purse is None:
                purse = self._purses[line_id] = _Purse()
                self._look(now_s + _IDLE_S, line_id, None)
            purse.asked_s = now_s
            purse.price_micros = max(micros, purse.price_micros)
            found = next((each for each in purse.ready(now_s) if each.take(micros, ppm)), None)
            if purse.is_low(now_s) and now_s >= purse.not_before_s:
                self._low.add(line_id)
                self._wake.set()
        return None if found is None else found.lease.lease_id

    def terms(self, lease_id: int) -> Lease:
        """Return the lease that `hold` named: the day that it charges, and when tokens expire."""
        return self._terms[lease_id]

    def of(self, line_ids: Sequence[UUID]) -> "Rows":
        """Return these purses by the rows of one index, the newest: only that is kept up."""
        rows = Rows(self, line_ids)
        with self._lock:
            for line_id, purse in self._purses.items():
                if purse.open:
                    rows.fund(line_id)
            self._rows = rows
        return rows

    def tend(self) -> None:
        """Fetch what is low, and give back what has ended. Called by one thread at a time.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there: nothing is lost, tend again.
        """
        self._end()
        self._give_back()
        with self._lock:
            low, self._low = self._low, set()
        for line_id in low:
            self._fetch(line_id)

    def _fetch(self, line_id: UUID) -> None:
        purse = self._purses[line_id]  # only the thread that tends forgets purses
        asked_s = self._clock_s()
        with self._lock:
            wanted = self._wanted(purse, asked_s)
            least = purse.price_micros
        lease = self._lessor.grant(line_id, wanted_micros=wanted, least_micros=least)
        _GRANTED.labels("granted" if lease else "exhausted").inc()
        with self._lock:
            if lease is None:
                purse.not_before_s = asked_s + purse.retry_s
                purse.retry_s = min(purse.retry_s * 2, _RETRY_S_MAX)
                # The largest price there was may be more than is left; the next one tells anew.
                purse.price_micros = 0
                return
            purse.retry_s = _RETRY_S
            held = _Open(lease, asked_s)
            purse.open.append(held)
            self._look(held.ends_s, line_id, held)
            self._terms[lease.lease_id] = lease
            self._rows.fund(line_id)

    def _wanted(self, purse: _Purse, now_s: float) -> int:
        """Return how much to ask for: twice as much as last time if that went fast."""
        least = purse.price_micros * _WANTED_TIMES_PRICE
        if any(now_s < each.renewal_s for each in purse.open):
            most = purse.price_micros * _WANTED_TIMES_PRICE_MAX
            purse.wanted_micros = min(most, purse.wanted_micros * 2)
        purse.wanted_micros = max(least, purse.wanted_micros)
        return purse.wanted_micros

    def _look(self, at_s: float, line_id: UUID, held: _Open | None) -> None:
        heappush(self._ends, (at_s, next(self._numbers), line_id, held))

    def _end(self) -> None:
        """Put aside what may be spent no more, and forget what nobody asks for."""
        now_s = self._clock_s()
        while self._end_some(now_s):
            pass
        with self._lock:
            # A page may yet sign for what it took just before the end.
            while self._ended and now_s >= self._ended[0][0] + _TERMS_KEPT_S:
                self._terms.pop(self._ended.popleft()[1], None)

    def _end_some(self, now_s: float) -> bool:
        """End a few of the leases that are over; return whether there may be more."""
        with self._lock:
            for _ in range(_ENDED_AT_ONCE):
                if not self._ends or now_s < self._ends[0][0]:
                    return False
                _, _, line_id, held = heappop(self._ends)
                if held is None:
                    self._forget(line_id, now_s)
                else:
                    self._end_one(self._purses[line_id], held)
        return True

    def _end_one(self, purse: _Purse, held: _Open) -> None:
        purse.open.remove(held)
        self._ended.append((held.ends_s, held.lease.lease_id))
        if held.left():
            self._owed[held.lease.lease_id] = held.issued()
        if held.left() > held.lease.micros // 2:
            purse.wanted_micros //= 2

    def _forget(self, line_id: UUID, now_s: float) -> None:
        """Forget a purse that holds nothing and is asked for nothing, or look again later."""
        purse = self._purses[line_id]
        if purse.open or now_s < purse.asked_s + _IDLE_S:
            self._look(max(now_s, purse.asked_s) + _IDLE_S, line_id, None)
            return
        del self._purses[line_id]
        self._low.discard(line_id)

    def _give_back(self) -> None:
        for lease_id, issued in list(self._owed.items()):
            self._lessor.give_back(lease_id, issued_micros=issued)
            del self._owed[lease_id]

    def open(self) -> None:
        """Tend in a thread of its own, until `close`."""
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hold nothing any more, and give back what was not issued, if PostgreSQL is there."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            for purse in self._purses.values():
                self._owed.update({each.lease.lease_id: each.issued() for each in purse.open})
            self._purses.clear()
            self._ends.clear()
            self._low.clear()
        try:
            self._give_back()
        except (psycopg.OperationalError, PoolTimeout) as error:
            logger.warning("leases are left to expire", error=str(error))

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(_TICK_S)
            self._wake.clear()
            try:
                self.tend()
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning("leases wait for PostgreSQL", error=str(error))
                time.sleep(_TICK_S)
            except Exception:
                logger.exception("leases stumbled")
                time.sleep(_TICK_S)


class Rows:
    """The purses of the lines of one index, by their rows: `ads.holds.Holds`."""

    def __init__(self, purses: Purses, line_ids: Sequence[UUID]) -> None:
        self._purses = purses
        self._line_ids = line_ids
        self._rows = {line_id: row for row, line_id in enumerate(line_ids)}
        self._is_funded = np.zeros(len(line_ids), np.bool_)

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        """Take what one token of a line may cost; `now_ms` has no say, see `billing.leases`."""
        del now_ms
        lease_id = self._purses.hold(self._line_ids[line_row], micros, probability=probability)
        if lease_id is None:
            self._is_funded[line_row] = False
        return lease_id

    def unfunded(self) -> Numbers:
        """Return the rows that have no lease, or were refused since they were granted the last."""
        return np.flatnonzero(~self._is_funded).astype(np.int32)

    def fund(self, line_id: UUID) -> None:
        """Note that a line was granted a lease."""
        row = self._rows.get(line_id)
        if row is not None:
            self._is_funded[row] = True
