"""How much an allowance allows."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limit:
    """How many seconds of video an account may ask for in a window of what length."""

    seconds: int
    window: timedelta
