"""The projector: follows each log by position and folds it into the projections' tables."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import psycopg
import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier
from psycopg_pool import PoolTimeout

from myriorama.store.postgres import Pool
from projections.projection import Projection, Recorded, Window

logger = structlog.get_logger(__name__)

_WINDOW_MAX = 1000
_POLL_S = 1.0
_BACK_OFF_MAX_S = 10.0

# FOR UPDATE fences a second projector: it waits, then finds the position moved.
_POSITION = "SELECT position FROM projection_positions WHERE name = %s FOR UPDATE"
_BEGIN = "INSERT INTO projection_positions (name, position) VALUES (%s, 0) ON CONFLICT DO NOTHING"

_ADVANCE = """
    UPDATE projection_positions SET position = %s, updated_at = clock_timestamp() WHERE name = %s
"""

_BURY = """
    INSERT INTO dead_letters (projection, position, error) VALUES (%s, %s, %s)
    ON CONFLICT DO NOTHING
"""

# The payload tells who waits for it how far the projection has come.
_TELL = "SELECT pg_notify('projected', %s)"

_LAG = Gauge("myriorama_projection_lag_events", "Positions behind its log's head", ["projection"])
_FOLDED = Counter("myriorama_projection_folded_events", "Events folded", ["projection"])
_BURIED = Counter(
    "myriorama_projection_dead_letters", "Events that could not be folded", ["projection"]
)


class Source(Protocol):
    """A log that can be read by position; `channel` is notified after each append."""

    channel: str

    def read(self, after: int, limit: int, topics: Sequence[str]) -> Window: ...

    def head(self) -> int: ...


class Projector:
    """Runs every projection in a thread of its own, until `stop`."""

    def __init__(
        self,
        pool: Pool,
        sources: Mapping[str, Source],
        projections: Sequence[Projection[Any]],
        *,
        url: str,
    ) -> None:
        self._url = url
        self._stopping = threading.Event()
        self._wakes = {name: list[threading.Event]() for name in sources}
        self._threads: list[threading.Thread] = []
        for projection in projections:
            wake = threading.Event()
            self._wakes[projection.log].append(wake)
            follower = Follower(pool, sources[projection.log], projection)
            self._thread(f"project-{projection.name}", self._follow, follower, wake)
        self._channels = {sources[name].channel: name for name in sources}
        self._thread("project-listen", self._listen)

    def run(self) -> None:
        """Follow the logs until `stop` is called from another thread."""
        for thread in self._threads:
            thread.start()
        self._stopping.wait()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        self._stopping.set()
        for wakes in self._wakes.values():
            for wake in wakes:
                wake.set()

    def _thread(self, name: str, target: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=target, args=args, name=name, daemon=True))

    def _follow(self, follower: "Follower", wake: threading.Event) -> None:
        back_off_s = 0.1
        while not self._stopping.is_set():
            wake.clear()
            try:
                while not self._stopping.is_set() and follower.step():
                    pass
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning("projection waits for PostgreSQL", error=str(error))
            except Exception:
                logger.exception("projection stands still")
            else:
                back_off_s = 0.1
                wake.wait(_POLL_S)
                continue
            self._stopping.wait(back_off_s)
            back_off_s = min(back_off_s * 2, _BACK_OFF_MAX_S)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    for channel in self._channels:
                        connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                    while not self._stopping.is_set():
                        for heard in connection.notifies(timeout=_POLL_S):
                            for wake in self._wakes[self._channels[heard.channel]]:
                                wake.set()
            except psycopg.OperationalError:
                self._stopping.wait(_POLL_S)  # the poll goes on without the hint


class Follower:
    """Folds one log into one projection, window by window."""

    def __init__(self, pool: Pool, source: Source, projection: Projection[Any]) -> None:
        self._pool = pool
        self._source = source
        self._projection = projection
        with pool.connection() as connection:
            connection.execute(_BEGIN, (projection.name,))

    def step(self) -> bool:
        """Fold one window in one transaction. Returns whether there may be more."""
        name = self._projection.name
        with self._pool.connection() as connection, connection.transaction():
            row = connection.execute(_POSITION, (name,)).fetchone()
            after = row[0] if row else 0
            window = self._source.read(after, _WINDOW_MAX, self._projection.topics)
            if window.upto == after:
                _LAG.labels(name).set(0)
                return False
            self._fold(connection, window.events)
            connection.execute(_ADVANCE, (window.upto, name))
            connection.execute(_TELL, (f"{name}:{window.upto}",))
        _FOLDED.labels(name).inc(len(window.events))
        more = len(window.events) == _WINDOW_MAX
        _LAG.labels(name).set(max(0, self._source.head() - window.upto) if more else 0)
        return more

    def _fold(self, connection: Connection[TupleRow], events: Sequence[Recorded[Any]]) -> None:
        if not events:
            return
        try:
            with connection.transaction(), connection.cursor() as cursor:
                self._projection.fold(events, cursor)
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest must go on
            if len(events) == 1:
                self._bury(connection, events[0].position, error)
                return
            half = len(events) // 2
            self._fold(connection, events[:half])
            self._fold(connection, events[half:])

    def _bury(self, connection: Connection[TupleRow], position: int, error: Exception) -> None:
        name = self._projection.name
        logger.error(
            "event cannot be folded", projection=name, position=position, error=repr(error)
        )
        _BURIED.labels(name).inc()
        connection.execute(_BURY, (name, position, repr(error)))
