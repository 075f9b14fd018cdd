"""Cameos: every likeness and voice, and who may cast it unasked.

Read by their owners and by lists of cameos to cast. The binding answer to who may cast which is
not here: the write side asks the aggregates.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.cameo.events import (
    AudienceChanged,
    CameoRecorded,
    CameoRevoked,
    PermissionCleared,
    PermissionDenied,
    PermissionGranted,
    PermissionRequestDeclined,
    PermissionRequested,
)
from projections.projection import Projection, Recorded

RECORD = """
    INSERT INTO cameos (cameo_id, owner_id, name, audience, state, face_key, voice_key,
                        recorded_at, version, position)
    VALUES (%s, %s, %s, %s, 'active', %s, %s, %s, %s, %s)
"""

CHANGE_AUDIENCE = """
    UPDATE cameos SET audience = %s, version = %s, position = %s WHERE cameo_id = %s
"""

REVOKE = """
    UPDATE cameos SET state = 'revoked', version = %s, position = %s WHERE cameo_id = %s
"""

TOUCH = """
    UPDATE cameos SET version = %s, position = %s WHERE cameo_id = %s
"""


Listed = (
    CameoRecorded
    | AudienceChanged
    | PermissionRequested
    | PermissionRequestDeclined
    | PermissionGranted
    | PermissionDenied
    | PermissionCleared
    | CameoRevoked
)


class Cameos(Projection[Listed]):
    """One row a cameo; `version` is its aggregate's, as of the last of these events."""

    name = "cameos"
    tables = ("cameos",)
    topics = (
        CameoRecorded.TOPIC,
        AudienceChanged.TOPIC,
        PermissionRequested.TOPIC,
        PermissionRequestDeclined.TOPIC,
        PermissionGranted.TOPIC,
        PermissionDenied.TOPIC,
        PermissionCleared.TOPIC,
        CameoRevoked.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Listed]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            event = recorded.event
            cameo_id = event.originator_id
            stand = (event.originator_version, recorded.position)
            match event:
                case CameoRecorded():
                    owned = (event.owner_id, event.name, event.audience)
                    keys = (event.face_key, event.voice_key)
                    cursor.execute(RECORD, (cameo_id, *owned, *keys, event.timestamp, *stand))
                case AudienceChanged():
                    cursor.execute(CHANGE_AUDIENCE, (event.audience, *stand, cameo_id))
                case CameoRevoked():
                    cursor.execute(REVOKE, (*stand, cameo_id))
                case (
                    PermissionRequested()
                    | PermissionRequestDeclined()
                    | PermissionGranted()
                    | PermissionDenied()
                    | PermissionCleared()
                ):
                    cursor.execute(TOUCH, (*stand, cameo_id))
                case _:
                    assert_never(event)
