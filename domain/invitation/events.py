"""What can happen to an invitation."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class InvitationIssued(InitialEvent):
    """A code was issued, which opens the door to whoever has it; by the operator if no issuer."""

    TOPIC = "invitation.issued"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"code"})

    code: str
    issuer_id: UUID | None


@dataclass(frozen=True)
class InvitationRedeemed(Event):
    """Somebody signed up with the code."""

    TOPIC = "invitation.redeemed"

    account_id: UUID


@dataclass(frozen=True)
class InvitationRevoked(Event):
    """The issuer took the code back before anybody used it."""

    TOPIC = "invitation.revoked"


InvitationEvent = InvitationIssued | InvitationRedeemed | InvitationRevoked
