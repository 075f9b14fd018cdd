"""Holds: money that is set aside in memory before an ad is shown."""

from typing import Protocol
from uuid import UUID

from ads.lines import Line


class Holds(Protocol):
    """The budget leases of this server. It answers at once, from memory."""

    def hold(self, line: Line, micros: int, now_ms: int) -> UUID | None:
        """Set money aside for a line; return its lease, or None where there is not enough."""
        ...

    def release(self, lease_id: UUID, micros: int) -> None:
        """Give back what was held in this decision, before any token was signed for it."""
        ...
