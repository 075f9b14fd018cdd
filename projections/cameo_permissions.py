"""Permissions: what owners said about single accounts, and who has asked and waits.

Read by owners, and by lists of cameos to cast. What has expired is still here: readers compare.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.cameo.events import (
    PermissionCleared,
    PermissionDenied,
    PermissionGranted,
    PermissionRequestDeclined,
    PermissionRequested,
)
from projections.projection import Projection, Recorded

SAY = """
    INSERT INTO cameo_permissions (cameo_id, account_id, verdict, message, expires_at, since,
                                   position)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (cameo_id, account_id) DO UPDATE
    SET verdict = excluded.verdict, message = excluded.message, expires_at = excluded.expires_at,
        since = excluded.since, position = excluded.position
"""

FORGET = "DELETE FROM cameo_permissions WHERE cameo_id = %s AND account_id = %s"

Permitting = (
    PermissionRequested
    | PermissionRequestDeclined
    | PermissionGranted
    | PermissionDenied
    | PermissionCleared
)


class CameoPermissions(Projection[Permitting]):
    """One row an account that was granted or denied a cameo, or that has asked for it."""

    name = "cameo_permissions"
    tables = ("cameo_permissions",)
    topics = (
        PermissionRequested.TOPIC,
        PermissionRequestDeclined.TOPIC,
        PermissionGranted.TOPIC,
        PermissionDenied.TOPIC,
        PermissionCleared.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Permitting]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            cameo_id = event.originator_id
            stand = (event.timestamp, recorded.position)
            match event:
                case PermissionRequested():
                    asked = (event.requester_id, "requested", event.message, None)
                    cursor.execute(SAY, (cameo_id, *asked, *stand))
                case PermissionGranted():
                    granted = (event.grantee_id, "granted", None, event.expires_at)
                    cursor.execute(SAY, (cameo_id, *granted, *stand))
                case PermissionDenied():
                    denied = (event.grantee_id, "denied", None, event.expires_at)
                    cursor.execute(SAY, (cameo_id, *denied, *stand))
                case PermissionRequestDeclined():
                    cursor.execute(FORGET, (cameo_id, event.requester_id))
                case PermissionCleared():
                    cursor.execute(FORGET, (cameo_id, event.grantee_id))
                case _:
                    assert_never(event)
