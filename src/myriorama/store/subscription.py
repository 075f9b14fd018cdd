"""A subscription to the domain log: every event behind a position, once, in order, for ever.

It is read in pages, when the subscriber asks for more: one who is slow costs one page. That there
is more is heard of by LISTEN, which is but a hint: without it we look every second.
"""

import os
import select
import socket
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import psycopg
import structlog
from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import PoolClosed

logger = structlog.get_logger(__name__)

_PAGE = 500
_WINDOW = 10_000
_POLL_S = 1.0
_CONNECT_S_MAX = 5

_LISTEN = "LISTEN events"


class PositionSubscription(Subscription[ApplicationRecorder]):
    """Iterates over notifications, and waits for more. One thread iterates, any may stop it.

    While the server is away it waits, and goes on where it was.
    """

    def __init__(
        self,
        recorder: ApplicationRecorder,
        conninfo: str,
        gt: int | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        """Begin behind position `gt`; without topics, all are of interest."""
        super().__init__(recorder, gt, topics)
        self._after = gt or 0
        self._page: Iterator[Notification] = iter(())
        self._hints = _Hints(conninfo)
        self._let_go = weakref.finalize(self, self._hints.close)

    def stop(self) -> None:
        super().stop()
        self._hints.wake()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        self._let_go()

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            for notification in self._page:
                return notification
            try:
                self._turn_page()
            except PoolClosed:
                raise
            except psycopg.OperationalError as error:
                logger.warning("subscription interrupted", after=self._after, error=str(error))
                self._hints.forget()
                self._hints.wait()
        raise StopIteration

    def _turn_page(self) -> None:
        """Read what comes next, or wait if there is nothing."""
        self._hints.listen()  # first: what is recorded from now on is heard of
        head = self._recorder.max_notification_id() or 0
        if head <= self._after:
            self._hints.wait()
            return
        upto = min(head, self._after + _WINDOW)
        page = self._recorder.select_notifications(
            self._after, _PAGE, upto, self._topics, inclusive_of_start=False
        )
        # Positions that do not matter are behind us, too: nobody looks at them again.
        self._after = page[-1].id if len(page) == _PAGE else upto
        self._page = iter(page)


class _Hints:
    """Hears that something was recorded, over a connection of its own, opened when needed."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[TupleRow] | None = None
        self._pid = os.getpid()
        self._woken, self._waker = socket.socketpair()
        self._waker.settimeout(0)

    def listen(self) -> None:
        """See that we are told from now on."""
        if self._connection is None:
            connection = Connection[TupleRow].connect(
                self._conninfo, autocommit=True, connect_timeout=_CONNECT_S_MAX
            )
            self._connection = connection
            connection.execute(_LISTEN)

    def wait(self) -> None:
        """Return when we are told or woken, or after a second."""
        sources = select.poll()
        sources.register(self._woken, select.POLLIN)
        if self._connection is not None:
            sources.register(self._connection, select.POLLIN)
        sources.poll(_POLL_S * 1000)
        if self._connection is not None:
            for _ in self._connection.notifies(timeout=0):
                pass

    def wake(self) -> None:
        """Let whoever waits return, now or when they begin to."""
        with suppress(OSError):  # full: they will; closed: nobody waits
            self._waker.send(b"\0")

    def forget(self) -> None:
        """Hang up; the next to listen opens another connection."""
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None

    def close(self) -> None:
        """Hang up for good."""
        self.forget()
        self._woken.close()
        self._waker.close()
