"""The view log as those write it who serve feeds: what apps report as watched, and what was served.

Reports are stored in micro-batches: what comes while one is being stored is stored by the next.
Whoever reports waits until it is durable; who is served a page does not wait.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Literal, Self
from uuid import UUID

import psycopg
import structlog
from prometheus_client import Counter

from myriorama.store.view_arrays import pack_batch, pack_viewings
from myriorama.store.view_writer import (
    Outcome,
    Receipt,
    Report,
    SequenceReused,
    Served,
    ViewWriter,
)

__all__ = ["Batch", "Receipt", "SequenceReused", "Served", "Viewing", "Views"]

logger = structlog.get_logger(__name__)

ROWS_MAX = 1000
"""So many rows fill a micro-batch. A report of more is one of its own."""

SLATES_MAX = 20_000
"""So many pages may wait to be logged; what is served beyond that is counted, not logged."""

RANKING_BYTES_MAX = 64 * 2**20
"""So much of how slates were decided may wait, which are some 50 kB each."""

_REPORTS_MAX = 10_000
_RANKING_BYTES_AT_ONCE = 4 * 2**20
# Each transaction makes the event loop give way several times, and wait until the machine has found
# a core for our thread: a hundred a second would cost a quarter of all pages.
_SLATES_WAIT_S = 0.2

_DROPPED = Counter("myriorama_view_log_slates_dropped", "Slates served that could not be logged")

_Signal = Literal["slates", "end"]


@dataclass(frozen=True)
class Viewing:
    """How long one video, from one page of the feed, was watched."""

    video_id: UUID
    decision_id: UUID
    watched_ms: int
    loops: int


@dataclass(frozen=True)
class Batch:
    """What an app reports at once, under a number of its session's.

    `digest` is of all that the app sent: it tells a repetition from another report.
    """

    viewer_id: UUID
    session_id: UUID
    sequence: int
    digest: bytes
    viewings: Sequence[Viewing]


class Views:
    """Writes the view log while it is open, in one thread for all of a process's event loops."""

    def __init__(self, url: str) -> None:
        self._writer = ViewWriter(url)
        self._arrived: SimpleQueue[Report | _Signal] = SimpleQueue()
        self._answers: dict[Report, asyncio.Future[Receipt]] = {}
        self._slates: deque[Served] = deque()
        self._ranking_bytes = 0
        self._slates_announced = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        self._thread = threading.Thread(target=self._run, name="view log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Store what has arrived, unless the server is gone, and take nothing more."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._writer.hurry()
            self._arrived.put("end")
            thread.join()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def append(self, batch: Batch) -> Receipt:
        """Store a batch once; it is durable when this returns. Positions have no holes.

        Raises:
            SequenceReused: the session used the number for another batch. Nothing was stored.
            psycopg.DataError: something in it cannot be stored.
            psycopg.OperationalError: PostgreSQL is not there, or far behind. Try again: what was
                stored all the same is not stored twice.
        """
        if self._thread is None or len(self._answers) >= _REPORTS_MAX:
            raise psycopg.OperationalError("the view log takes nothing more at present")
        report = Report(
            pack_batch(batch.viewer_id, batch.session_id, batch.sequence),
            batch.digest,
            pack_viewings(batch.viewings),
            len(batch.viewings),
        )
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._answers[report] = answer
        self._arrived.put(report)
        return await answer

    def offer(self, slate: Served) -> None:
        """Log a page that was served, within some 0.2 s; the caller never waits for it."""
        if len(self._slates) >= SLATES_MAX or self._ranking_bytes > RANKING_BYTES_MAX:
            _DROPPED.inc()
            return
        self._slates.append(slate)
        self._ranking_bytes += _weight(slate)
        if not self._slates_announced:
            self._slates_announced = True
            self._arrived.put("slates")

    def _run(self) -> None:
        reports: deque[Report] = deque()
        slates_due_s, is_ending = float("inf"), False
        while not is_ending or reports or self._slates:
            for arrived in self._take(0.0 if reports or is_ending else slates_due_s):
                match arrived:
                    case "end":
                        is_ending = True
                    case "slates":
                        slates_due_s = time.monotonic() + _SLATES_WAIT_S
                    case report:
                        reports.append(report)
            if reports:
                self._store(list(_first(reports)))
            if is_ending or time.monotonic() >= slates_due_s:
                slates_due_s = float("inf")
                self._slates_announced = False
                self._log_slates()
        self._writer.close()

    def _take(self, until_s: float) -> Iterator[Report | _Signal]:
        """Yield what has arrived; if that is nothing, what arrives first until the time given."""
        try:
            if until_s == float("inf"):
                yield self._arrived.get()
            else:
                yield self._arrived.get(timeout=max(0.0, until_s - time.monotonic()))
            while True:
                yield self._arrived.get_nowait()
        except Empty:
            return

    def _store(self, reports: Sequence[Report]) -> None:
        try:
            outcomes = self._writer.append_viewings(reports)
        except Exception as error:  # noqa: BLE001 - no report may end the thread
            outcomes = dict.fromkeys(reports, error)
        self._tell(outcomes)

    def _tell(self, outcomes: Mapping[Report, Outcome]) -> None:
        """Answer in the loops in which the answers are awaited."""
        answers = [(self._answers.pop(report), outcome) for report, outcome in outcomes.items()]
        for loop in {answer.get_loop() for answer, _ in answers}:
            told = [(a, outcome) for a, outcome in answers if a.get_loop() is loop]
            try:
                loop.call_soon_threadsafe(_answer, told)
            except RuntimeError:
                logger.warning("nobody waits for the view log any more", answers=len(told))

    def _log_slates(self) -> None:
        waiting = len(self._slates)  # what is served meanwhile is announced anew
        while waiting > 0:
            slates = list(self._first_slates(min(waiting, ROWS_MAX)))
            waiting -= len(slates)
            try:
                self._writer.append_slates(slates)
            except Exception as error:  # noqa: BLE001 - no slate may end the thread
                _DROPPED.inc(len(slates))
                logger.error("slates are not logged", slates=len(slates), error=repr(error))  # noqa: TRY400 - the message says it

    def _first_slates(self, count_max: int) -> Iterator[Served]:
        """Take as many as one transaction should carry, and one at least."""
        carried = 0
        for _ in range(count_max):
            slate = self._slates.popleft()
            self._ranking_bytes -= _weight(slate)
            carried += _weight(slate)
            yield slate
            if carried >= _RANKING_BYTES_AT_ONCE:
                return


def _weight(slate: Served) -> int:
    return len(slate.ranking or "") + len(slate.ads or "")


def _first(reports: deque[Report]) -> Iterator[Report]:
    """Take as many as fit into one micro-batch, and one at least."""
    rows = reports[0].count
    yield reports.popleft()
    while reports and (rows := rows + reports[0].count) <= ROWS_MAX:
        yield reports.popleft()


def _answer(told: Sequence[tuple[asyncio.Future[Receipt], Outcome]]) -> None:
    for answer, outcome in told:
        if answer.done():  # who asked has gone
            continue
        if isinstance(outcome, Receipt):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)
