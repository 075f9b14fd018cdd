"""Accounts: who is who, as others see them.

Read by profiles, by the feed for the names beside videos, and by lists of people.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.account.events import (
    AccountEvent,
    AccountOpened,
    InvitationDrawn,
    InvitationsAllotted,
    PasswordChanged,
    ProfileChanged,
    ScopesChanged,
    SignedOutEverywhere,
)
from projections.projection import Projection, Recorded

OPEN = """
    INSERT INTO accounts (account_id, handle, display_name, bio, age_band, scopes, invited_by,
                          invitations_left, opened_at, version, position)
    VALUES (%s, %s, %s, '', %s, %s, %s, 0, %s, %s, %s)
"""

CHANGE_PROFILE = """
    UPDATE accounts SET display_name = %s, bio = %s, avatar_upload_id = %s,
                        version = %s, position = %s
    WHERE account_id = %s
"""

CHANGE_SCOPES = """
    UPDATE accounts SET scopes = %s, version = %s, position = %s WHERE account_id = %s
"""

ADD_INVITATIONS = """
    UPDATE accounts SET invitations_left = invitations_left + %s, version = %s, position = %s
    WHERE account_id = %s
"""

TOUCH = """
    UPDATE accounts SET version = %s, position = %s WHERE account_id = %s
"""


class Accounts(Projection[AccountEvent]):
    """One row an account; `version` is its aggregate's, for ETags."""

    name = "accounts"
    tables = ("accounts",)
    topics = (
        AccountOpened.TOPIC,
        ProfileChanged.TOPIC,
        PasswordChanged.TOPIC,
        ScopesChanged.TOPIC,
        InvitationsAllotted.TOPIC,
        InvitationDrawn.TOPIC,
        SignedOutEverywhere.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[AccountEvent]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            stand = (event.originator_version, recorded.position)
            match event:
                case AccountOpened():
                    cursor.execute(
                        OPEN,
                        (
                            event.originator_id,
                            event.handle,
                            event.display_name,
                            event.age_band,
                            list(event.scopes),
                            event.invited_by,
                            event.timestamp,
                            *stand,
                        ),
                    )
                case ProfileChanged():
                    seen = (event.display_name, event.bio, event.avatar_upload_id)
                    cursor.execute(CHANGE_PROFILE, (*seen, *stand, event.originator_id))
                case ScopesChanged():
                    scopes = list(event.scopes)
                    cursor.execute(CHANGE_SCOPES, (scopes, *stand, event.originator_id))
                case InvitationsAllotted():
                    cursor.execute(ADD_INVITATIONS, (event.count, *stand, event.originator_id))
                case InvitationDrawn():
                    cursor.execute(ADD_INVITATIONS, (-1, *stand, event.originator_id))
                case PasswordChanged() | SignedOutEverywhere():
                    cursor.execute(TOUCH, (*stand, event.originator_id))
                case _:
                    assert_never(event)
