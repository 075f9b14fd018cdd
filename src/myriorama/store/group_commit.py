"""Group commit: what many record at once goes into the log in one transaction.

By flat combining: a thread that finds nobody leading leads, that is, it appends for all, until its
own events are recorded. Where no thread waits, one of ours leads as long as there is something to
do, and ends when there was nothing for a while.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

import psycopg

from myriorama.store.appends import Append, AwaitedAppend, PromisedAppend

ROWS_MAX = 4096
"""So many events fill a batch. An append of more is a batch of its own."""

_IDLE_S_MAX = 2.0

Draw = Callable[[], list[Append]]
"""Takes what is to be recorded together out of the queue."""


class Appender(Protocol):
    """Records batches, and is used by one thread at a time."""

    @property
    def unfinished(self) -> bool:
        """Whether a batch was drawn whose outcome is not known yet."""
        ...

    def append(self, draw: Draw) -> None:
        """Record one batch, which is drawn as late as possible; settle all that is drawn."""
        ...

    def close(self) -> None: ...


class GroupCommit:
    """Records for many. Safe to share between the threads of one process."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._queue: deque[Append] = deque()
        self._leading = threading.Lock()
        self._resident: threading.Thread | None = None
        self._called = False
        self._calls = threading.Condition()
        self._closed = False

    def record(self, append: AwaitedAppend) -> list[int]:
        """Return the positions once the events are recorded, or raise why they were not."""
        self._enqueue(append)
        while not append.settled:
            if self._leading.acquire(blocking=False):
                self._lead(lambda: append.settled)
            else:
                append.sleep()
        return append.positions()

    def submit(self, append: PromisedAppend) -> Future[Sequence[int]]:
        """Return at once; the future tells the positions, or why the events were not recorded."""
        self._enqueue(append)
        if not self._leading.locked():
            self._call_resident()
        return append.future

    def close(self) -> None:
        """Record what is waiting, and nothing more."""
        self._closed = True
        with self._leading:
            while self._work():
                self._appender.append(self._draw)
            self._appender.close()
        self._call_resident()

    def _enqueue(self, append: Append) -> None:
        if self._closed:
            raise psycopg.OperationalError("the recorder is closed")
        self._queue.append(append)

    def _work(self) -> bool:
        return bool(self._queue) or self._appender.unfinished

    def _lead(self, done: Callable[[], bool]) -> None:
        try:
            while not done():
                self._appender.append(self._draw)
        finally:
            self._leading.release()
            self._pass_on()

    def _pass_on(self) -> None:
        """See that somebody leads those who came before the lock was free."""
        try:
            first = self._queue[0]
        except IndexError:
            if self._appender.unfinished:
                self._call_resident()
            return
        if isinstance(first, AwaitedAppend):
            first.wake()
        else:
            self._call_resident()

    def _call_resident(self) -> None:
        with self._calls:
            self._called = True
            if self._resident is None:
                if not self._work():
                    return
                self._resident = threading.Thread(
                    target=self._reside, name="group commit", daemon=True
                )
                self._resident.start()
            self._calls.notify()

    def _reside(self) -> None:
        while True:
            if self._work() and self._leading.acquire(blocking=False):
                self._lead(lambda: not self._work())
            with self._calls:
                if not self._calls.wait_for(lambda: self._called, _IDLE_S_MAX) or self._closed:
                    self._resident = None
                    return
                self._called = False

    def _draw(self) -> list[Append]:
        batch: list[Append] = []
        size = 0
        written: set[bytes] = set()
        commands: set[object] = set()
        while self._queue:
            append = self._queue[0]
            if batch and (
                size + len(append.rows) > ROWS_MAX
                # Judged on what this batch writes, that is, in the next one.
                or not written.isdisjoint(append.expect)
                or append.command_id in commands
            ):
                break
            self._queue.popleft()
            if append.begin():
                batch.append(append)
                size += len(append.rows)
                written.update([row[0] for row in append.rows])
                if append.command_id is not None:
                    commands.add(append.command_id)
        return batch
