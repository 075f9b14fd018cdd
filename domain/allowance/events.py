"""What can happen to an allowance."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class AllowanceOpened(InitialEvent):
    """The account asked for its first generation."""

    TOPIC = "allowance.opened"

    account_id: UUID


@dataclass(frozen=True)
class AllowanceSpent(Event):
    """A generation took `seconds` of the allowance; they come back when the window has passed."""

    TOPIC = "allowance.spent"

    generation_id: UUID
    seconds: int


@dataclass(frozen=True)
class AllowanceReturned(Event):
    """The generation failed, was refused or was cancelled: its seconds came back at once."""

    TOPIC = "allowance.returned"

    generation_id: UUID


AllowanceEvent = AllowanceOpened | AllowanceSpent | AllowanceReturned
