"""Invitations: every code and what became of it. Read by who issued it, and for the tree."""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.invitation.events import (
    InvitationEvent,
    InvitationIssued,
    InvitationRedeemed,
    InvitationRevoked,
)
from projections.projection import Projection, Recorded

ISSUE = """
    INSERT INTO invitations (invitation_id, code, issuer_id, state, issued_at, position)
    VALUES (%s, %s, %s, 'open', %s, %s)
"""

REDEEM = "UPDATE invitations SET state = 'redeemed', redeemed_by = %s WHERE invitation_id = %s"
REVOKE = "UPDATE invitations SET state = 'revoked' WHERE invitation_id = %s"


class Invitations(Projection[InvitationEvent]):
    """One row a code."""

    name = "invitations"
    tables = ("invitations",)
    topics = (InvitationIssued.TOPIC, InvitationRedeemed.TOPIC, InvitationRevoked.TOPIC)

    def fold(self, events: Sequence[Recorded[InvitationEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            match event:
                case InvitationIssued():
                    issued = (event.code, event.issuer_id, event.timestamp, recorded.position)
                    cursor.execute(ISSUE, (event.originator_id, *issued))
                case InvitationRedeemed():
                    cursor.execute(REDEEM, (event.account_id, event.originator_id))
                case InvitationRevoked():
                    cursor.execute(REVOKE, (event.originator_id,))
                case _:
                    assert_never(event)
