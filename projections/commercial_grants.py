"""Commercial grants: which advertiser may show whose cameo in ads, and until when.

Read by the owners of cameos, and by what the index of ads is made from.
"""

from collections.abc import Sequence
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.cameo.events import CameoRevoked
from domain.commercial_grant.events import (
    CommercialGrantEvent,
    CommercialUseGranted,
    CommercialUseRenewed,
    CommercialUseWithdrawn,
)
from projections.projection import Projection, Recorded

GRANT = """
    INSERT INTO commercial_grants (cameo_id, advertiser_id, expires_at, granted_at, position)
    VALUES (%s, %s, %s, %s, %s) ON CONFLICT (cameo_id, advertiser_id) DO UPDATE
    SET expires_at = excluded.expires_at, granted_at = excluded.granted_at,
        position = excluded.position
"""

WITHDRAW = "DELETE FROM commercial_grants WHERE cameo_id = %s AND advertiser_id = %s"

WITHDRAW_ALL = "DELETE FROM commercial_grants WHERE cameo_id = %s"

Told = CommercialGrantEvent | CameoRevoked


class CommercialGrants(Projection[Told]):
    """One row for each cameo and each advertiser that may show it, unless its time is over."""

    name = "commercial_grants"
    tables = ("commercial_grants",)
    topics = (
        CommercialUseGranted.TOPIC,
        CommercialUseRenewed.TOPIC,
        CommercialUseWithdrawn.TOPIC,
        CameoRevoked.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Told]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            match event:
                case CommercialUseGranted() | CommercialUseRenewed():
                    whom = (event.cameo_id, event.advertiser_id)
                    cursor.execute(GRANT, (*whom, event.expires_at, event.timestamp, position))
                case CommercialUseWithdrawn():
                    cursor.execute(WITHDRAW, (event.cameo_id, event.advertiser_id))
                case CameoRevoked():
                    cursor.execute(WITHDRAW_ALL, (event.originator_id,))
                case _:
                    assert_never(event)
