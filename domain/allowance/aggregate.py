"""The rules of an allowance: seconds of video in a rolling window, and a balance beside it."""

from datetime import datetime
from math import ceil
from typing import NamedTuple, Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.allowance.errors import AllowanceExhausted, CreditDiffers, CreditInvalid
from domain.allowance.events import (
    AllowanceCredited,
    AllowanceEvent,
    AllowanceOpened,
    AllowanceReturned,
    AllowanceSpent,
    CreditClaimed,
)
from domain.allowance.limit import Limit
from domain.identity import named

CREDIT_SECONDS_MAX = 1_000_000
SOURCE_KEY_LENGTH_MAX = 200


class Spending(NamedTuple):
    """What one generation took, and when; `purchased` of its seconds came from the balance."""

    at: datetime
    seconds: int
    purchased: int = 0

    @property
    def windowed(self) -> int:
        """The seconds that come back when the window has passed."""
        return self.seconds - self.purchased


class Allowance(Aggregate):
    """One an account, opened with its first generation or credit."""

    TOPIC = "allowance"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        # In the order of time, by the generation's ID; str keys, because a snapshot is JSON.
        self.spendings: dict[str, Spending] = {}
        self.balance = 0

    @staticmethod
    def identify(account_id: UUID) -> UUID:
        """Return the ID of an account's allowance."""
        return named("allowance", account_id)

    @classmethod
    def open(cls, account_id: UUID, *, at: datetime) -> Self:
        return cls.begin(AllowanceOpened, cls.identify(account_id), at, account_id=account_id)

    def spent(self, limit: Limit, *, at: datetime) -> int:
        """Return the seconds that were taken of the window that ends at `at`."""
        return sum(spending.windowed for spending in self._recent(limit, at))

    def left(self, limit: Limit, *, at: datetime) -> int:
        """Return the seconds that are left of the window, without the balance."""
        return max(0, limit.seconds - self.spent(limit, at=at))

    def returns_at(self, limit: Limit, *, at: datetime) -> datetime | None:
        """Return when the next seconds of the window come back; None if all are there."""
        over = self.spent(limit, at=at) - limit.seconds
        for spending in self._recent(limit, at):
            over -= spending.windowed
            if spending.windowed and over < 0:
                return spending.at + limit.window
        return None

    def reset_s(self, wanted: int, limit: Limit, *, at: datetime) -> int:
        """Return in how many seconds `wanted` seconds of video are free; 0 if they are now.

        What the balance has is free already.
        """
        if wanted <= self.left(limit, at=at) + self.balance:
            return 0
        missing = self.spent(limit, at=at) + wanted - self.balance - limit.seconds
        for spending in self._recent(limit, at):
            missing -= spending.windowed
            if missing <= 0:
                return max(1, ceil((spending.at + limit.window - at).total_seconds()))
        return ceil(limit.window.total_seconds())

    def spend(self, generation_id: UUID, seconds: int, limit: Limit, *, at: datetime) -> None:
        """Take seconds for a generation: of the window first, and then of the balance.

        Raises:
            AllowanceExhausted: fewer are left.
        """
        left = self.left(limit, at=at)
        purchased = max(0, seconds - left)
        if purchased > self.balance:
            bought = f" and {self.balance} of the balance" if self.balance else ""
            raise AllowanceExhausted(
                f"{left} of {limit.seconds} seconds{bought} are left, and this takes {seconds}.",
                reset_s=self.reset_s(seconds, limit, at=at),
            )
        self.trigger(
            AllowanceSpent, at, generation_id=generation_id, seconds=seconds, purchased=purchased
        )

    def give_back(self, generation_id: UUID, *, at: datetime) -> None:
        """Return what a generation took to where it came from. Again records nothing."""
        if str(generation_id) in self.spendings:
            self.trigger(AllowanceReturned, at, generation_id=generation_id)

    def credit(self, seconds: int, *, source_key: str, reason: str, at: datetime) -> None:
        """Raise the balance. That it is done once for a key is for its `Credit` to see."""
        self.trigger(AllowanceCredited, at, seconds=seconds, source_key=source_key, reason=reason)

    def evolve(self, event: AllowanceEvent) -> None:
        match event:
            case AllowanceOpened():
                pass  # __init__ took its fields.
            case AllowanceSpent():
                spending = Spending(event.timestamp, event.seconds, event.purchased)
                self.spendings[str(event.generation_id)] = spending
                self.balance -= event.purchased
            case AllowanceReturned():
                returned = self.spendings.pop(str(event.generation_id), None)
                self.balance += returned.purchased if returned else 0
            case AllowanceCredited():
                self.balance += event.seconds
            case _:
                assert_never(event)

    def _recent(self, limit: Limit, at: datetime) -> list[Spending]:
        since = at - limit.window
        return [spending for spending in self.spendings.values() if spending.at > since]


class Credit(Aggregate):
    """What was credited under a key: its ID follows from the key, so that it is done once."""

    TOPIC = "credit"

    def __init__(self, *, source_key: str, account_id: UUID, seconds: int) -> None:
        self.source_key = source_key
        self.account_id = account_id
        self.seconds = seconds

    @staticmethod
    def identify(source_key: str) -> UUID:
        """Return the ID of the credit under a key."""
        return named("credit", source_key)

    @classmethod
    def claim(cls, source_key: str, *, account_id: UUID, seconds: int, at: datetime) -> Self:
        """Take the key for an account.

        Raises:
            CreditInvalid: it has no seconds or too many, or no key.
        """
        if not 1 <= seconds <= CREDIT_SECONDS_MAX:
            raise CreditInvalid(f"A credit has 1 to {CREDIT_SECONDS_MAX:,} seconds.")
        if not 1 <= len(source_key) <= SOURCE_KEY_LENGTH_MAX:
            raise CreditInvalid(f"A key has 1 to {SOURCE_KEY_LENGTH_MAX} characters.")
        return cls.begin(
            CreditClaimed,
            cls.identify(source_key),
            at,
            source_key=source_key,
            account_id=account_id,
            seconds=seconds,
        )

    def require_same(self, account_id: UUID, seconds: int) -> None:
        """Let pass who says again what was done.

        Raises:
            CreditDiffers: something else was done under this key.
        """
        if (account_id, seconds) != (self.account_id, self.seconds):
            raise CreditDiffers("Another account, or other seconds, were credited under this key.")

    def evolve(self, event: CreditClaimed) -> None:
        """Take in its one event; __init__ took its fields."""
