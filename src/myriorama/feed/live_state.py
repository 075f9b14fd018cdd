"""The live state: the ranking's, of this process, folded by a thread to the heads of both logs.

It begins with nothing and catches up; until it has, there is no ranking. From then on it hears of
what is recorded and folds it within the second. Who folds has it alone, who ranks reads together.
"""

import select
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Generic, Literal, Self, TypeVar

import psycopg
import structlog
from prometheus_client import Gauge
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.feed.shared_lock import SharedLock
from myriorama.store.state_stretches import Foldable, NewerEvents, Positions, StateStretches

logger = structlog.get_logger(__name__)

S = TypeVar("S", bound=Foldable)

Standing = Literal["loading", "ready", "behind"]

_POLL_S = 1.0
_CONNECT_S_MAX = 5
# What is recorded in quick succession is folded together.
_TOGETHER_S = 0.05
_WINDOW_LOADING = 50_000
# While a stretch is folded nobody can rank: so long that it takes some milliseconds.
_WINDOW_READY = 1_000
_TOLD_EVERY_S = 5.0

_BEHIND = Gauge(
    "myriorama_ranking_state_behind",
    "Positions of both logs that the ranking of a process has not folded yet",
    multiprocess_mode="max",
)


class LiveState(Generic[S]):
    """Holds the state and follows the logs while it is open."""

    def __init__(
        self,
        url: str,
        stretches: StateStretches,
        make: Callable[[], S],
        *,
        folded: Callable[[S], None],
    ) -> None:
        """Take the collaborators.

        Args:
            url: PostgreSQL, to hear of what is recorded.
            stretches: the logs.
            make: returns a state of nothing; called in the thread that follows.
            folded: is called in that thread whenever the state has come to the heads, before it
                counts as ready.
        """
        self._url = url
        self._stretches = stretches
        self._make = make
        self._folded = folded
        self._lock = SharedLock()
        self._state: S | None = None
        self._standing: Standing = "loading"
        self._share = 0.0
        self._version = Positions(0, 0)
        self._stopped = threading.Event()
        self._moved = threading.Condition()
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._thread: threading.Thread | None = None

    @property
    def standing(self) -> Standing:
        """Whether it may be ranked by: it is still loading, ready, or behind for long."""
        return self._standing

    @property
    def share(self) -> float:
        """How much of what was recorded is folded, from 0 to 1."""
        return self._share

    @property
    def version(self) -> Positions:
        """How far the state is folded."""
        return self._version

    def open(self) -> None:
        self._sockets = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="ranking state", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin with nothing more; `close` waits until that is so."""
        self._stopped.set()

    def close(self) -> None:
        """Stop following; what is being folded is folded to its end."""
        thread, self._thread = self._thread, None
        if thread is None or self._sockets is None:
            return
        self.stop()
        woken, waker = self._sockets
        with suppress(OSError):
            waker.send(b"\0")
        thread.join()
        woken.close()
        waker.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def held(self) -> Generator[S | None]:
        """Yield the state as it is, which nobody else reads or folds; None while it is loading."""
        with self._lock.alone():
            yield None if self._standing == "loading" else self._state

    @contextmanager
    def read(self) -> Generator[S | None]:
        """Yield the state, to be read only: it stays as it is; None while it is loading."""
        with self._lock.shared():
            yield None if self._standing == "loading" else self._state

    @contextmanager
    def read_if_free(self) -> Generator[S | None]:
        """Yield the same without a wait; None if it is being folded, or loading."""
        with self._lock.shared(wait=False) as is_held:
            yield None if self._standing == "loading" or not is_held else self._state

    def reached(self, positions: Positions, *, timeout_s: float) -> bool:
        """Return True once the state is ready and folded so far, False if that takes longer."""
        with self._moved:
            return self._moved.wait_for(
                lambda: (
                    self._standing != "loading"
                    and self._version.domain >= positions.domain
                    and self._version.views >= positions.views
                ),
                timeout_s,
            )

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with psycopg.connect(
                    self._url, autocommit=True, connect_timeout=_CONNECT_S_MAX
                ) as connection:
                    connection.execute("LISTEN events")
                    connection.execute("LISTEN viewings")
                    self._follow(connection)
            except psycopg.OperationalError as error:
                self._fall_behind("the ranking waits for PostgreSQL", error)
            except NewerEvents as error:
                self._fall_behind("the ranking stands still until its process is newer", error)
            except Exception as error:
                # Were this to end, feeds would show what was right an hour ago, and nobody knew.
                logger.exception("the state of the ranking could not be folded")
                self._fall_behind("the state of the ranking is folded anew", error)
                self._forget()

    def _follow(self, connection: Connection[TupleRow]) -> None:
        while not self._stopped.is_set():
            self._catch_up()
            self._wait(connection)

    def _catch_up(self) -> None:
        if self._state is None:
            self._state = self._make()
            if self._stopped.is_set():
                return
        state, heads = self._state, self._stretches.heads()
        is_loading = self._standing == "loading"
        window = _WINDOW_LOADING if is_loading else _WINDOW_READY
        told_s = time.monotonic()
        for fold in self._stretches.between(self._version, heads, window=window):
            with self._lock.alone():
                fold(state)
                self._version = Positions(*state.version)
            self._share = sum(self._version) / max(1, sum(heads))
            _BEHIND.set(sum(heads) - sum(self._version))
            if self._stopped.is_set():
                return
            if is_loading and time.monotonic() - told_s > _TOLD_EVERY_S:
                told_s = time.monotonic()
                logger.info("the ranking is being loaded", share=round(self._share, 3))
        self._folded(state)
        if is_loading:
            logger.info("the ranking is ready", domain=heads.domain, views=heads.views)
        self._share, self._standing = 1.0, "ready"
        with self._moved:
            self._moved.notify_all()

    def _wait(self, connection: Connection[TupleRow]) -> None:
        """Return when something was recorded, we are stopped, or a second is over."""
        sources = select.poll()
        if self._sockets is not None:
            sources.register(self._sockets[0], select.POLLIN)
        sources.register(connection, select.POLLIN)
        sources.poll(_POLL_S * 1000)
        self._stopped.wait(_TOGETHER_S)
        for _ in connection.notifies(timeout=0):
            pass

    def _fall_behind(self, what: str, error: Exception) -> None:
        logger.warning(what, error=str(error))
        if self._standing == "ready":
            self._standing = "behind"
        self._stopped.wait(_POLL_S)

    def _forget(self) -> None:
        """Begin anew: a fold that failed half-way left nobody knows what."""
        with self._lock.alone():
            self._state, self._version, self._standing = None, Positions(0, 0), "loading"
