"""Long aggregates as a process has last read them, so that none is replayed from its beginning."""

import pickle
from collections import OrderedDict
from threading import Lock
from uuid import UUID

from eventsourcing.domain import BaseAggregate

BYTES_MAX = 64 * 2**20


class Remembered:
    """Aggregates by ID, kept as bytes: whoever asks is given one of their own to change.

    What was asked for longest ago is forgotten first. Safe to share between threads.
    """

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[UUID, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, aggregate_id: UUID) -> BaseAggregate[UUID] | None:
        """Return it as it was when it was put; None if it was not, or has been forgotten."""
        with self._lock:
            kept = self._kept.get(aggregate_id)
            if kept is None:
                return None
            self._kept.move_to_end(aggregate_id)
        aggregate: BaseAggregate[UUID] = pickle.loads(kept)  # noqa: S301 - never left this process
        return aggregate

    def put(self, aggregate: BaseAggregate[UUID]) -> None:
        """Keep it as it is now. It must be as the log has it: nothing may wait to be saved."""
        kept = pickle.dumps(aggregate, pickle.HIGHEST_PROTOCOL)
        with self._lock:
            self._drop(aggregate.id)
            self._kept[aggregate.id] = kept
            self._bytes += len(kept)
            while self._bytes > self._bytes_max:
                self._drop(next(iter(self._kept)))

    def forget(self, aggregate_id: UUID) -> None:
        with self._lock:
            self._drop(aggregate_id)

    def _drop(self, aggregate_id: UUID) -> None:
        self._bytes -= len(self._kept.pop(aggregate_id, b""))
