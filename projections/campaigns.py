"""Campaigns: what advertisers want, from when to when, and for how much at most.

Read by their advertisers, and by what the index of ads is made from.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from domain.campaign.events import (
    CampaignBudgetChanged,
    CampaignCompleted,
    CampaignEdited,
    CampaignEvent,
    CampaignOpened,
    CampaignPaused,
    CampaignResumed,
)
from projections.projection import Projection, Recorded

OPEN = """
    INSERT INTO campaigns (campaign_id, advertiser_id, name, objective, budget_micros, starts_at,
                           ends_at, caps, state, opened_at, opened_position, version, position)
    VALUES (%(campaign_id)s, %(advertiser_id)s, %(name)s, %(objective)s, %(budget_micros)s,
            %(starts_at)s, %(ends_at)s, %(caps)s, 'active', %(timestamp)s, %(position)s,
            %(version)s, %(position)s)
"""

EDIT = """
    UPDATE campaigns SET name = %(name)s, objective = %(objective)s, starts_at = %(starts_at)s,
                         ends_at = %(ends_at)s, caps = %(caps)s, version = %(version)s,
                         position = %(position)s
    WHERE campaign_id = %(campaign_id)s
"""

CHANGE_BUDGET = """
    UPDATE campaigns SET budget_micros = %s, version = %s, position = %s WHERE campaign_id = %s
"""

CHANGE_STATE = """
    UPDATE campaigns SET state = %s, version = %s, position = %s WHERE campaign_id = %s
"""


class Campaigns(Projection[CampaignEvent]):
    """One row a campaign; `version` is its aggregate's, for ETags."""

    name = "campaigns"
    tables = ("campaigns",)
    topics = (
        CampaignOpened.TOPIC,
        CampaignEdited.TOPIC,
        CampaignBudgetChanged.TOPIC,
        CampaignPaused.TOPIC,
        CampaignResumed.TOPIC,
        CampaignCompleted.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[CampaignEvent]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            stand = (event.originator_version, position, event.originator_id)
            match event:
                case CampaignOpened():
                    cursor.execute(OPEN, _fields(event, position))
                case CampaignEdited():
                    cursor.execute(EDIT, _fields(event, position))
                case CampaignBudgetChanged():
                    cursor.execute(CHANGE_BUDGET, (event.budget_micros, *stand))
                case CampaignPaused():
                    cursor.execute(CHANGE_STATE, ("paused", *stand))
                case CampaignResumed():
                    cursor.execute(CHANGE_STATE, ("active", *stand))
                case CampaignCompleted():
                    cursor.execute(CHANGE_STATE, ("completed", *stand))
                case _:
                    assert_never(event)


def _fields(event: CampaignOpened | CampaignEdited, position: int) -> dict[str, object]:
    return {
        **vars(event),
        "campaign_id": event.originator_id,
        "caps": Jsonb([asdict(cap) for cap in event.caps]),
        "version": event.originator_version,
        "position": position,
    }
