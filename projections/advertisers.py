"""Advertisers: who pays for ads, and whose accounts act for them.

Read by every route of the advertisers' side, which shows them to their members alone.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from domain.advertiser.events import (
    AdvertiserCapsChanged,
    AdvertiserEdited,
    AdvertiserEvent,
    AdvertiserOpened,
    MemberAdmitted,
    MemberRemoved,
    MemberRoleChanged,
)
from projections.projection import Projection, Recorded

OPEN = """
    INSERT INTO advertisers (advertiser_id, name, website, category, currency, zone, sandbox, caps,
                             opened_at, version, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, '[]', %s, %s, %s)
"""

EDIT = """
    UPDATE advertisers SET name = %s, website = %s, category = %s, version = %s, position = %s
    WHERE advertiser_id = %s
"""

CHANGE_CAPS = """
    UPDATE advertisers SET caps = %s, version = %s, position = %s WHERE advertiser_id = %s
"""

TOUCH = "UPDATE advertisers SET version = %s, position = %s WHERE advertiser_id = %s"

ADMIT = """
    INSERT INTO advertiser_members (advertiser_id, account_id, role, since, position)
    VALUES (%s, %s, %s, %s, %s)
"""

CHANGE_ROLE = """
    UPDATE advertiser_members SET role = %s, position = %s
    WHERE advertiser_id = %s AND account_id = %s
"""

REMOVE = "DELETE FROM advertiser_members WHERE advertiser_id = %s AND account_id = %s"


class Advertisers(Projection[AdvertiserEvent]):
    """One row an advertiser, and one a member; `version` is the aggregate's, for ETags."""

    name = "advertisers"
    tables = ("advertisers", "advertiser_members")
    topics = (
        AdvertiserOpened.TOPIC,
        AdvertiserEdited.TOPIC,
        AdvertiserCapsChanged.TOPIC,
        MemberAdmitted.TOPIC,
        MemberRoleChanged.TOPIC,
        MemberRemoved.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[AdvertiserEvent]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            _fold(event, position, cursor)


def _fold(event: AdvertiserEvent, position: int, cursor: Cursor[TupleRow]) -> None:
    id_, at = event.originator_id, event.timestamp
    stand = (event.originator_version, position)
    match event:
        case AdvertiserOpened():
            shown = (event.name, event.website, event.category, event.currency, event.zone)
            cursor.execute(OPEN, (id_, *shown, event.sandbox, at, *stand))
            cursor.execute(ADMIT, (id_, event.owner_id, "owner", at, position))
        case AdvertiserEdited():
            cursor.execute(EDIT, (event.name, event.website, event.category, *stand, id_))
        case AdvertiserCapsChanged():
            caps = Jsonb([asdict(cap) for cap in event.caps])
            cursor.execute(CHANGE_CAPS, (caps, *stand, id_))
        case MemberAdmitted():
            cursor.execute(ADMIT, (id_, event.account_id, event.role, at, position))
            cursor.execute(TOUCH, (*stand, id_))
        case MemberRoleChanged():
            cursor.execute(CHANGE_ROLE, (event.role, position, id_, event.account_id))
            cursor.execute(TOUCH, (*stand, id_))
        case MemberRemoved():
            cursor.execute(REMOVE, (id_, event.account_id))
            cursor.execute(TOUCH, (*stand, id_))
        case _:
            assert_never(event)
