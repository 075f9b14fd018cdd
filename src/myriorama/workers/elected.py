"""One at a time: of all processes that would do a work, one does, and another one takes over.

Who is elected holds an advisory lock for as long as its session lasts: whoever is killed, or loses
PostgreSQL, holds it no more. So what it does has to be safe to begin again at any point.
"""

import threading
from collections.abc import Callable

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

from myriorama.store.postgres import AdvisoryLock

logger = structlog.get_logger(__name__)

_LEAD = "SELECT pg_try_advisory_lock(%s)"

_POLL_S = 0.5

Work = Callable[[Connection[TupleRow], threading.Event], None]
"""Works until the event is set, over a connection that commits by itself."""


class Elected:
    """Runs until `stop`. A second one, here or elsewhere, waits until the first is gone."""

    def __init__(self, url: str, lock: AdvisoryLock, name: str, work: Work) -> None:
        """Take where the lock is, which it is, and who works, for the logs."""
        self._url = url
        self._lock = lock
        self._name = name
        self._work = work
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop` is called from elsewhere, or wait to."""
        while not self._stopping.is_set():
            try:
                with psycopg.connect(
                    self._url, autocommit=True, application_name=f"myriorama {self._name}"
                ) as connection:
                    if self._is_elected(connection):
                        self._work(connection, self._stopping)
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning("waiting for PostgreSQL", worker=self._name, error=str(error))
            except Exception:
                logger.exception("stumbled", worker=self._name)
            self._stopping.wait(_POLL_S)

    def stop(self) -> None:
        self._stopping.set()

    def _is_elected(self, connection: Connection[TupleRow]) -> bool:
        """Return True once nobody else works, False if it is to stop before."""
        while not self._stopping.is_set():
            (is_mine,) = connection.execute(_LEAD, (self._lock,)).fetchone() or (False,)
            if is_mine:
                return True
            self._stopping.wait(_POLL_S)
        return False


class Together:
    """Several of them as one program, each elected for itself."""

    def __init__(self, *members: Elected, close: Callable[[], None] = lambda: None) -> None:
        """Take them, and what is to be closed once none of them works any more."""
        self._members = members
        self._close = close

    def run(self) -> None:
        """Run all until `stop` is called from elsewhere."""
        threads = [threading.Thread(target=member.run) for member in self._members]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._close()

    def stop(self) -> None:
        for member in self._members:
            member.stop()
