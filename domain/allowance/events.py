"""What can happen to an allowance."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class AllowanceOpened(InitialEvent):
    """The account asked for its first generation, or was credited before."""

    TOPIC = "allowance.opened"

    account_id: UUID


@dataclass(frozen=True)
class AllowanceSpent(Event):
    """A generation took `seconds`, `purchased` of them from the balance.

    The others come back when the window has passed.
    """

    TOPIC = "allowance.spent"
    class_version = 2

    generation_id: UUID
    seconds: int
    purchased: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["purchased"] = 0


@dataclass(frozen=True)
class AllowanceReturned(Event):
    """No video came of the generation, or it was refused wrongly: its seconds came back at once.

    Each to where they had come from: the window, or the balance.
    """

    TOPIC = "allowance.returned"

    generation_id: UUID


@dataclass(frozen=True)
class AllowanceCredited(Event):
    """The balance rose by `seconds`, which last until they are spent.

    `source_key` names what they were credited for (a payment, say).
    """

    TOPIC = "allowance.credited"

    seconds: int
    source_key: str
    reason: str


@dataclass(frozen=True)
class CreditClaimed(InitialEvent):
    """What `source_key` names was credited, to this account and no other, once."""

    TOPIC = "allowance.credit_claimed"

    source_key: str
    account_id: UUID
    seconds: int


AllowanceEvent = AllowanceOpened | AllowanceSpent | AllowanceReturned | AllowanceCredited
