"""The rules of an allowance: seconds of video in a rolling window."""

from datetime import datetime
from math import ceil
from typing import NamedTuple, Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.allowance.errors import AllowanceExhausted
from domain.allowance.events import (
    AllowanceEvent,
    AllowanceOpened,
    AllowanceReturned,
    AllowanceSpent,
)
from domain.allowance.limit import Limit
from domain.identity import named


class Spending(NamedTuple):
    """What one generation took, and when."""

    at: datetime
    seconds: int


class Allowance(Aggregate):
    """One an account, opened with its first generation."""

    TOPIC = "allowance"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        # In the order of time, by the generation's ID; str keys, because a snapshot is JSON.
        self.spendings: dict[str, Spending] = {}

    @staticmethod
    def identify(account_id: UUID) -> UUID:
        """Return the ID of an account's allowance."""
        return named("allowance", account_id)

    @classmethod
    def open(cls, account_id: UUID, *, at: datetime) -> Self:
        return cls.begin(AllowanceOpened, cls.identify(account_id), at, account_id=account_id)

    def spent(self, limit: Limit, *, at: datetime) -> int:
        """Return the seconds that were taken within the window that ends at `at`."""
        return sum(spending.seconds for spending in self._recent(limit, at))

    def reset_s(self, wanted: int, limit: Limit, *, at: datetime) -> int:
        """Return in how many seconds `wanted` seconds of video are free; 0 if they are now."""
        missing = self.spent(limit, at=at) + wanted - limit.seconds
        if missing <= 0:
            return 0
        for spending in self._recent(limit, at):
            missing -= spending.seconds
            if missing <= 0:
                return max(1, ceil((spending.at + limit.window - at).total_seconds()))
        return ceil(limit.window.total_seconds())

    def spend(self, generation_id: UUID, seconds: int, limit: Limit, *, at: datetime) -> None:
        """Take seconds for a generation.

        Raises:
            AllowanceExhausted: fewer are left.
        """
        reset_s = self.reset_s(seconds, limit, at=at)
        if reset_s:
            left = max(0, limit.seconds - self.spent(limit, at=at))
            raise AllowanceExhausted(
                f"{left} of {limit.seconds} seconds are left, and this takes {seconds}.",
                reset_s=reset_s,
            )
        self.trigger(AllowanceSpent, at, generation_id=generation_id, seconds=seconds)

    def give_back(self, generation_id: UUID, *, at: datetime) -> None:
        """Return what a generation took. Again records nothing."""
        if str(generation_id) in self.spendings:
            self.trigger(AllowanceReturned, at, generation_id=generation_id)

    def evolve(self, event: AllowanceEvent) -> None:
        match event:
            case AllowanceOpened():
                pass  # __init__ took its fields.
            case AllowanceSpent():
                self.spendings[str(event.generation_id)] = Spending(event.timestamp, event.seconds)
            case AllowanceReturned():
                self.spendings.pop(str(event.generation_id), None)
            case _:
                assert_never(event)

    def _recent(self, limit: Limit, at: datetime) -> list[Spending]:
        since = at - limit.window
        return [spending for spending in self.spendings.values() if spending.at > since]
