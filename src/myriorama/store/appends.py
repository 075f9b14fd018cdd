"""Appends: the events of one command on their way into the log, and what they rest on."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from myriorama.store.binary_rows import pack_bigint, pack_events, pack_uuid
from myriorama.store.causation import Cause

Outcome = range | Exception
"""The positions of the events, or why they were not recorded."""


class CommandRepeated(Exception):
    """The command has been applied before, at `positions`. Nothing was recorded this time."""

    def __init__(self, command_id: UUID, positions: range) -> None:
        super().__init__(command_id, positions)
        self.command_id = command_id
        self.positions = positions


class Append(ABC):
    """What one command records, which is recorded as a whole or not at all.

    Raises:
        psycopg.DataError: something in it is not of its column's type.
    """

    def __init__(
        self, events: Sequence[StoredEvent], expect: Mapping[UUID, int] | None, cause: Cause
    ) -> None:
        self.rows = pack_events(events, cause)
        self.expect = {pack_uuid(i): pack_bigint(v) for i, v in (expect or {}).items()}
        self.command_id = cause.command_id if cause.position is None else None
        self._cause = cause

    @property
    @abstractmethod
    def settled(self) -> bool:
        """Whether its outcome is known."""

    @abstractmethod
    def begin(self) -> bool:
        """Whether it is still wanted; if so it cannot be cancelled any more."""

    def settle(self, outcome: Outcome) -> None:
        """Tell its outcome to who waits for it."""
        if isinstance(outcome, range):
            self._cause.position = outcome[-1]


class AwaitedAppend(Append):
    """An append that a thread waits for, which is woken to lead, too."""

    def __init__(
        self, events: Sequence[StoredEvent], expect: Mapping[UUID, int] | None, cause: Cause
    ) -> None:
        super().__init__(events, expect, cause)
        self._outcome: Outcome | None = None
        self._turn = threading.Lock()
        self._turn.acquire()

    @property
    def settled(self) -> bool:
        return self._outcome is not None

    def begin(self) -> bool:
        return True

    def settle(self, outcome: Outcome) -> None:
        super().settle(outcome)
        self._outcome = outcome
        self.wake()

    def wake(self) -> None:
        """Let `sleep` return."""
        with suppress(RuntimeError):  # it is awake
            self._turn.release()

    def sleep(self) -> None:
        """Return when there is something to do: it is settled, or there is nobody who leads."""
        self._turn.acquire()

    def positions(self) -> list[int]:
        """Return the positions of its events, or raise why they were not recorded."""
        assert self._outcome is not None  # noqa: S101 - asked for once it is settled
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return list(self._outcome)


class PromisedAppend(Append):
    """An append that no thread waits for."""

    def __init__(
        self, events: Sequence[StoredEvent], expect: Mapping[UUID, int] | None, cause: Cause
    ) -> None:
        super().__init__(events, expect, cause)
        self.future: Future[Sequence[int]] = Future()

    @property
    def settled(self) -> bool:
        return self.future.done()

    def begin(self) -> bool:
        return self.future.set_running_or_notify_cancel()

    def settle(self, outcome: Outcome) -> None:
        super().settle(outcome)
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(list(outcome))
