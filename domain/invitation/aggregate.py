"""The rules of an invitation."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.identity import named
from domain.invitation.errors import InvitationSpent, InvitationWithdrawn, NotInvitationIssuer
from domain.invitation.events import (
    InvitationEvent,
    InvitationIssued,
    InvitationRedeemed,
    InvitationRevoked,
)


class Invitation(Aggregate):
    """One code. Its ID follows from the code, so to know the code is to find the invitation."""

    TOPIC = "invitation"

    def __init__(self, code: str, issuer_id: UUID | None) -> None:
        self.code = code
        self.issuer_id = issuer_id
        self.redeemed_by: UUID | None = None
        self.revoked = False

    @staticmethod
    def identify(code: str) -> UUID:
        return named("invitation", code.strip().upper())

    @classmethod
    def issue(cls, code: str, *, issuer_id: UUID | None, at: datetime) -> Self:
        return cls.begin(
            InvitationIssued, cls.identify(code), at, code=code.upper(), issuer_id=issuer_id
        )

    def redeem(self, *, account_id: UUID, at: datetime) -> None:
        """Sign somebody up.

        Raises:
            InvitationSpent: somebody else was first.
            InvitationWithdrawn: the issuer took it back.
        """
        if self.redeemed_by is not None:
            raise InvitationSpent("Somebody has signed up with this code.")
        if self.revoked:
            raise InvitationWithdrawn("This code was taken back.")
        self.trigger(InvitationRedeemed, at, account_id=account_id)

    def revoke(self, *, by: UUID, at: datetime) -> None:
        """Take the code back. To take it back again records nothing.

        Raises:
            NotInvitationIssuer: `by` did not issue it.
            InvitationSpent: it has been redeemed.
        """
        if by != self.issuer_id:
            raise NotInvitationIssuer("Only who issued an invitation takes it back.")
        if self.redeemed_by is not None:
            raise InvitationSpent("Somebody has signed up with this code.")
        if not self.revoked:
            self.trigger(InvitationRevoked, at)

    def evolve(self, event: InvitationEvent) -> None:
        match event:
            case InvitationIssued():
                pass  # __init__ took its fields.
            case InvitationRedeemed():
                self.redeemed_by = event.account_id
            case InvitationRevoked():
                self.revoked = True
            case _:
                assert_never(event)
