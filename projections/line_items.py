"""Line items: what is bid for which viewers, and how far each has come.

Read by their advertisers, and by what the index of ads is made from.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from domain.line_item.events import (
    BidChanged,
    BidderChanged,
    BudgetsChanged,
    CreativesAssigned,
    LineItemCapsChanged,
    LineItemCompleted,
    LineItemEvent,
    LineItemExhausted,
    LineItemOpened,
    LineItemPaused,
    LineItemRenamed,
    LineItemResumed,
    LineItemSubmitted,
    ScheduleChanged,
    SuitabilityChanged,
    TargetingChanged,
)
from domain.line_item.terms import Schedule, Suitability
from projections.projection import Projection, Recorded

OPEN = """
    INSERT INTO line_items (line_item_id, advertiser_id, campaign_id, name, kind, category,
                            guaranteed, bid_micros, daily_budget_micros, lifetime_budget_micros,
                            exhausted_micros, starts_at, ends_at, hours, pacing, targeting, caps,
                            suitability, creative_ids, stage, opened_at, opened_position, version,
                            position)
    VALUES (%(line_item_id)s, %(advertiser_id)s, %(campaign_id)s, %(name)s, %(kind)s,
            %(category)s, %(guaranteed)s, %(bid_micros)s, %(daily_budget_micros)s,
            %(lifetime_budget_micros)s, 0, %(starts_at)s, %(ends_at)s, %(hours)s, %(pacing)s,
            %(targeting)s, %(caps)s, %(suitability)s, %(creative_ids)s, 'draft', %(timestamp)s,
            %(position)s, %(version)s, %(position)s)
"""

RENAME = "UPDATE line_items SET name = %s, version = %s, position = %s WHERE line_item_id = %s"

CHANGE_BID = """
    UPDATE line_items SET bid_micros = %s, version = %s, position = %s WHERE line_item_id = %s
"""

CHANGE_BUDGETS = """
    UPDATE line_items SET daily_budget_micros = %s, lifetime_budget_micros = %s,
                          version = %s, position = %s
    WHERE line_item_id = %s
"""

CHANGE_SCHEDULE = """
    UPDATE line_items SET starts_at = %s, ends_at = %s, hours = %s, pacing = %s,
                          version = %s, position = %s
    WHERE line_item_id = %s
"""

CHANGE_TARGETING = """
    UPDATE line_items SET targeting = %s, version = %s, position = %s WHERE line_item_id = %s
"""

CHANGE_CAPS = """
    UPDATE line_items SET caps = %s, version = %s, position = %s WHERE line_item_id = %s
"""

CHANGE_SUITABILITY = """
    UPDATE line_items SET suitability = %s, version = %s, position = %s WHERE line_item_id = %s
"""

ASSIGN = """
    UPDATE line_items SET creative_ids = %s, version = %s, position = %s WHERE line_item_id = %s
"""

CHANGE_BIDDER = """
    UPDATE line_items SET bidder = %s, version = %s, position = %s WHERE line_item_id = %s
"""

EXHAUST = """
    UPDATE line_items SET exhausted_micros = %s, version = %s, position = %s
    WHERE line_item_id = %s
"""

CHANGE_STAGE = """
    UPDATE line_items SET stage = %s, version = %s, position = %s WHERE line_item_id = %s
"""


class LineItems(Projection[LineItemEvent]):
    """One row a line item; `version` is its aggregate's, for ETags.

    `exhausted_micros` is what was spent when its lifetime budget was last found to be: it is
    exhausted as long as the budget is no higher.
    """

    name = "line_items"
    tables = ("line_items",)
    topics = (
        LineItemOpened.TOPIC,
        LineItemRenamed.TOPIC,
        BidChanged.TOPIC,
        BudgetsChanged.TOPIC,
        ScheduleChanged.TOPIC,
        TargetingChanged.TOPIC,
        LineItemCapsChanged.TOPIC,
        SuitabilityChanged.TOPIC,
        CreativesAssigned.TOPIC,
        BidderChanged.TOPIC,
        LineItemSubmitted.TOPIC,
        LineItemPaused.TOPIC,
        LineItemResumed.TOPIC,
        LineItemExhausted.TOPIC,
        LineItemCompleted.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[LineItemEvent]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            _fold(event, position, cursor)


def _fold(  # noqa: C901, PLR0912 - one case an event
    event: LineItemEvent, position: int, cursor: Cursor[TupleRow]
) -> None:
    stand = (event.originator_version, position, event.originator_id)
    match event:
        case LineItemOpened():
            cursor.execute(OPEN, _opened(event, position))
        case LineItemRenamed():
            cursor.execute(RENAME, (event.name, *stand))
        case BidChanged():
            cursor.execute(CHANGE_BID, (event.bid_micros, *stand))
        case BudgetsChanged():
            budgets = (event.daily_budget_micros, event.lifetime_budget_micros)
            cursor.execute(CHANGE_BUDGETS, (*budgets, *stand))
        case ScheduleChanged():
            cursor.execute(CHANGE_SCHEDULE, (*_schedule(event.schedule).values(), *stand))
        case TargetingChanged():
            cursor.execute(CHANGE_TARGETING, (Jsonb(asdict(event.targeting)), *stand))
        case LineItemCapsChanged():
            caps = Jsonb([asdict(cap) for cap in event.caps])
            cursor.execute(CHANGE_CAPS, (caps, *stand))
        case SuitabilityChanged():
            cursor.execute(CHANGE_SUITABILITY, (_suitability(event.suitability), *stand))
        case CreativesAssigned():
            cursor.execute(ASSIGN, (list(event.creative_ids), *stand))
        case BidderChanged():
            cursor.execute(CHANGE_BIDDER, (event.bidder, *stand))
        case LineItemSubmitted() | LineItemResumed():
            cursor.execute(CHANGE_STAGE, ("submitted", *stand))
        case LineItemPaused():
            cursor.execute(CHANGE_STAGE, ("paused", *stand))
        case LineItemExhausted():
            cursor.execute(EXHAUST, (event.spent_micros, *stand))
        case LineItemCompleted():
            cursor.execute(CHANGE_STAGE, ("completed", *stand))
        case _:
            assert_never(event)


def _opened(event: LineItemOpened, position: int) -> dict[str, object]:
    return {
        **vars(event),
        **_schedule(event.schedule),
        "line_item_id": event.originator_id,
        "targeting": Jsonb(asdict(event.targeting)),
        "caps": Jsonb([asdict(cap) for cap in event.caps]),
        "suitability": _suitability(event.suitability),
        "creative_ids": list(event.creative_ids),
        "version": event.originator_version,
        "position": position,
    }


def _schedule(schedule: Schedule) -> dict[str, object]:
    return {
        "starts_at": schedule.starts_at,
        "ends_at": schedule.ends_at,
        "hours": schedule.hours,
        "pacing": schedule.pacing,
    }


def _suitability(suitability: Suitability) -> Jsonb:
    authors = [str(author_id) for author_id in suitability.blocked_authors]
    return Jsonb({**asdict(suitability), "blocked_authors": authors})
