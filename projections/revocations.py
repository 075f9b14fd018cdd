"""Revocations: accounts and sessions whose tokens, issued until then, are void.

Read by every API process, which keeps the recent ones in memory.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.account.events import ScopesChanged, SessionEnded, SignedOutEverywhere
from projections.projection import Projection, Recorded

REVOKE = """
    INSERT INTO revocations (subject_id, revoked_at) VALUES (%s, %s)
    ON CONFLICT (subject_id) DO UPDATE SET revoked_at = excluded.revoked_at
"""

Revoking = SessionEnded | SignedOutEverywhere | ScopesChanged


class Revocations(Projection[Revoking]):
    """One row a session that ended, and one an account that signed out everywhere.

    An account whose scopes changed refreshes its tokens too, or they would keep the old ones.
    """

    name = "revocations"
    tables = ("revocations",)
    topics = (SessionEnded.TOPIC, SignedOutEverywhere.TOPIC, ScopesChanged.TOPIC)

    def fold(self, events: Sequence[Recorded[Revoking]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            match event:
                case SignedOutEverywhere():
                    # Who refreshed while this was under way was recorded before it, and may have a
                    # token of a later moment than that at which this was asked for.
                    revoked_at = max(event.timestamp, recorded.recorded_at)
                    cursor.execute(REVOKE, (event.originator_id, revoked_at))
                case SessionEnded() | ScopesChanged():
                    cursor.execute(REVOKE, (event.originator_id, event.timestamp))
                case _:
                    assert_never(event)
