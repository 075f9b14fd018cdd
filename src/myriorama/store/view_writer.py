"""The writer of the view log: one statement an append, over a connection of its own.

One statement, since then no client holds the log's lock longer than the server needs: not one that
was stopped, and not one whose network went away in between.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import LiteralString, NamedTuple

import numpy as np
import psycopg
import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from domain.errors import Conflict
from myriorama.store.identity import new_id
from myriorama.store.postgres import AdvisoryLock, hung_up
from myriorama.store.view_arrays import (
    Bigints,
    Integers,
    SparseBigints,
    Texts,
    UUIDs,
    batch_columns,
    register,
    viewing_columns,
)

logger = structlog.get_logger(__name__)

_APPEND_VIEWINGS = """
    SELECT append_viewings(%b, %b, %b, %b, %b, %b::bytea[], %b, %b, %b, %b, %b, %b, %b, %b)
"""

_APPEND_SLATES = (
    "SELECT append_slates(%b, %b, %b, %b, %b::text[], %b::bigint[], %b, %b, %b::text[], %b::text[])"
)

_KNOWN = """
    SELECT asked.n - 1, known.digest, known.accepted
    FROM unnest(%b, %b, %b) WITH ORDINALITY AS asked (viewer_id, session_id, sequence, n)
    JOIN viewing_batches known USING (viewer_id, session_id, sequence)
"""

_APPENDED_BEFORE = "one_append"
_SESSION = "SET ROLE myriorama_recorder; SET lock_timeout = '10s'"
_CONNECT_S_MAX = 5
_PATIENCE_S = 10.0
_HURRIED_PATIENCE_S, _HURRIED_PAUSE_S = 1.0, 0.02
_BACK_OFF_S_MAX = 1.0
_AHEAD_S_MAX = 60.0

_APPENDED = Counter("myriorama_view_log_events", "Appended to the view log", ["table"])
_APPENDS = Counter("myriorama_view_log_appends", "Transactions that appended to the view log")
_AHEAD = Gauge(
    "myriorama_view_log_ahead_seconds",
    "By how much the time of the view log is ahead of the clock, which was set back",
    multiprocess_mode="max",
)


class SequenceReused(Conflict):
    """The session reported other views under this sequence number before."""


@dataclass(frozen=True)
class Receipt:
    """How many viewings are stored; `duplicate` if they were before this time."""

    accepted: int
    duplicate: bool


@dataclass(frozen=True, eq=False, slots=True)
class Report:
    """A batch of viewings, packed: its name, what tells it from another, and its rows."""

    name: bytes
    digest: bytes
    rows: bytes
    count: int


class Served(NamedTuple):
    """A page as it was served. IDs are the 16 bytes of the UUID; `before` is None at the top.

    `ranking` is how the slate that begins with this page was decided, `ads` what was auctioned over
    the page and shown on it; both are JSON text.
    """

    decision_id: bytes
    viewer_id: bytes
    feed: str
    before: int | None
    video_ids: Sequence[bytes]
    ranking: str | None = None
    ads: str | None = None


Outcome = Receipt | Exception


class ViewWriter:
    """Appends to the view log. Used by one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection[TupleRow] | None = None
        self._hurried = threading.Event()
        self._away_since_s: float | None = None
        self._is_ahead = False

    def append_viewings(self, reports: Sequence[Report]) -> Mapping[Report, Outcome]:
        """Store each report once, together if that can be; what is told of each is durable.

        The outcome of a report is an error if it, or all of them, could not be stored.
        """
        failure: Exception
        try:
            self._append(_APPEND_VIEWINGS, _viewings(reports))
        except UniqueViolation as error:
            if known := self._known(reports):
                rest = [report for report in reports if report not in known]
                return {**known, **(self.append_viewings(rest) if rest else {})}
            failure = error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            return dict.fromkeys(reports, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to whom it concerns
            failure = error
        else:
            _APPENDED.labels("viewings").inc(sum(report.count for report in reports))
            return {report: Receipt(report.count, duplicate=False) for report in reports}
        if len(reports) == 1:
            return {reports[0]: failure}
        half = len(reports) // 2
        return {**self.append_viewings(reports[:half]), **self.append_viewings(reports[half:])}

    def append_slates(self, slates: Sequence[Served]) -> None:
        """Store what was served."""
        self._append(_APPEND_SLATES, _slates(slates))
        _APPENDED.labels("slates").inc(len(slates))

    def hurry(self) -> None:
        """From now on wait a second at most for a server that has gone. Any thread may call it."""
        self._hurried.set()

    def close(self) -> None:
        """Hang up; whoever appends after all opens another connection."""
        if self._connection is not None:
            self._connection.close()

    def _append(self, query: LiteralString, columns: Sequence[object]) -> None:
        """Append in one transaction; where the connection is lost in its midst, find out."""
        try:
            ((ahead,),) = self._ask(query, (AdvisoryLock.VIEW_LOG, new_id(), *columns))
        except UniqueViolation as error:
            if error.diag.constraint_name != _APPENDED_BEFORE:
                raise  # else it was ourselves, and only the answer was lost
        else:
            self._watch(ahead.total_seconds())
        _APPENDS.inc()

    def _ask(self, query: LiteralString, parameters: Sequence[object]) -> list[TupleRow]:
        """Return the server's answer; while it is away, ask again."""
        back_off_s = 0.01
        while True:
            try:
                rows = self._connected().execute(query, parameters, prepare=True).fetchall()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if not hung_up(error):
                    raise
                self.close()
                self._await(error, back_off_s)
                back_off_s = min(back_off_s * 2, _BACK_OFF_S_MAX)
            else:
                self._away_since_s = None
                return rows

    def _connected(self) -> Connection[TupleRow]:
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_S_MAX)
            connection.execute(_SESSION)
            register(connection)
            self._connection = connection
        return self._connection

    def _await(self, error: Exception, back_off_s: float) -> None:
        """Wait until it makes sense to try again; raise the error if it no longer does."""
        now_s = time.monotonic()
        self._away_since_s = self._away_since_s or now_s
        patience_s = _HURRIED_PATIENCE_S if self._hurried.is_set() else _PATIENCE_S
        if now_s - self._away_since_s > patience_s:
            raise error
        logger.warning("the view log waits for PostgreSQL", error=str(error))
        if self._hurried.wait(back_off_s):
            time.sleep(_HURRIED_PAUSE_S)

    def _watch(self, ahead_s: float) -> None:
        """Raise an alarm when the clock was set back behind what has been recorded."""
        _AHEAD.set(max(0.0, ahead_s))
        if (ahead_s > _AHEAD_S_MAX) != self._is_ahead:
            self._is_ahead = not self._is_ahead
            if self._is_ahead:
                logger.error("the clock was set back behind the view log", ahead_s=ahead_s)

    def _known(self, reports: Sequence[Report]) -> Mapping[Report, Outcome]:
        """Return what is to be answered to those that have been stored before."""
        viewers, sessions, sequences = batch_columns([report.name for report in reports])
        names = (UUIDs(viewers), UUIDs(sessions), Bigints(sequences))
        rows = self._ask(_KNOWN, names)
        return {reports[int(n)]: _repeated(reports[int(n)], *before) for n, *before in rows}


def _repeated(report: Report, digest: bytes, accepted: int) -> Outcome:
    if report.digest != digest:
        return SequenceReused("The session reported other views under this number before.")
    return Receipt(accepted, duplicate=True)


def _viewings(reports: Sequence[Report]) -> tuple[object, ...]:
    viewers, sessions, sequences = batch_columns([report.name for report in reports])
    videos, decisions, watched_ms, loops = viewing_columns([report.rows for report in reports])
    counts = np.array([report.count for report in reports])
    digests = [report.digest for report in reports]
    return (
        UUIDs(viewers),
        UUIDs(sessions),
        Bigints(sequences),
        digests,
        Bigints(counts),
        UUIDs(np.repeat(viewers, counts)),
        UUIDs(videos),
        UUIDs(decisions),
        UUIDs(np.repeat(sessions, counts)),
        Bigints(np.repeat(sequences, counts)),
        Integers(watched_ms),
        Integers(loops),
    )


def _slates(slates: Sequence[Served]) -> tuple[object, ...]:
    decision_ids, viewer_ids, feeds, befores, pages, rankings, ads = zip(*slates, strict=True)
    return (
        UUIDs.of(decision_ids),
        UUIDs.of(viewer_ids),
        Texts(feeds),
        SparseBigints(befores),
        Bigints(np.array([len(video_ids) for video_ids in pages])),
        UUIDs.of(list(chain.from_iterable(pages))),
        Texts(rankings),
        Texts(ads),
    )
