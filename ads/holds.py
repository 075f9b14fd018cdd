"""Holds: money that is set aside in memory before an ad is shown."""

from typing import Protocol


class Holds(Protocol):
    """The budget leases of this server, by the rows of one index. It answers from memory."""

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        """Set aside what one token may cost; return the lease that pays, or None.

        `probability` is that of being billed. What is held and never signed for comes back when
        its lease ends.
        """
        ...
