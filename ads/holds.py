"""Holds: money that is set aside in memory before an ad is shown."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]

NOBODY: Numbers = np.zeros(0, np.int32)


class Holds(Protocol):
    """The budget leases of this server, by the rows of one index. It answers from memory."""

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        """Set aside what one token may cost; return the lease that pays, or None.

        `probability` is that of being billed. What is held and never signed for comes back when
        its lease ends.
        """
        ...

    def unfunded(self) -> Numbers:
        """Return the rows for which nothing can be held now, whatever it costs."""
        ...
