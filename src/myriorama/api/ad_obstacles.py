"""Obstacles: what keeps a line item from every page, as the read side and the budgets have it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from domain.line_item.states import State

Code = Literal[
    "draft",
    "in_review",
    "rejected",
    "paused",
    "exhausted",
    "completed",
    "campaign_paused",
    "campaign_over",
    "not_begun",
    "hour_closed",
    "no_creative_approved",
    "cameo_not_granted",
    "no_budget_yet",
    "advertiser_spent",
    "campaign_spent",
    "lifetime_spent",
    "day_spent",
]

STANDING = """
    SELECT c.state AS campaign_state, greatest(l.starts_at, c.starts_at) AS starts_at, l.hours,
           a.zone,
           CASE l.kind WHEN 'cpm' THEN l.bid_micros / 1000 ELSE l.bid_micros END AS bid_micros,
           EXISTS (SELECT FROM creatives v WHERE v.creative_id = ANY(l.creative_ids)
                   AND v.state = 'approved' AND NOT v.recalled) AS has_approved,
           EXISTS (SELECT FROM creatives v WHERE v.creative_id = ANY(l.creative_ids)
                   AND v.state = 'approved' AND NOT v.recalled AND NOT EXISTS (
                       SELECT FROM unnest(v.cameo_ids) AS used (cameo_id)
                       WHERE NOT EXISTS (
                           SELECT FROM commercial_grants g
                           WHERE g.cameo_id = used.cameo_id AND g.advertiser_id = v.advertiser_id
                             AND (g.expires_at IS NULL OR g.expires_at > now())))) AS has_granted,
           EXISTS (SELECT FROM budgeted_lines b
                   WHERE b.line_id = l.line_item_id AND b.may_spend) AS may_spend
    FROM line_items l JOIN campaigns c USING (campaign_id)
    JOIN advertisers a ON a.advertiser_id = l.advertiser_id WHERE l.line_item_id = %s
"""

BUDGETS = """
    SELECT scope, nullif(cap_micros, %s) AS cap_micros, held_micros, spent_micros FROM spending
    WHERE (scope, id, day) IN (('advertiser', %s, 0), ('campaign', %s, 0), ('line', %s, 0),
                               ('line_day', %s, %s))
    ORDER BY scope
"""

_STATES: dict[State, str] = {
    "draft": "It is a draft: submit it.",
    "in_review": "None of its creatives is approved yet.",
    "rejected": "None of its creatives may be shown.",
    "paused": "It is paused.",
    "exhausted": "Its lifetime budget is spent.",
    "completed": "It is over.",
}

Scope = Literal["advertiser", "campaign", "line", "line_day"]

_SPENT: dict[Scope, tuple[Code, str]] = {
    "advertiser": ("advertiser_spent", "What was paid in is spent: top up."),
    "campaign": ("campaign_spent", "The campaign's budget is spent."),
    "line": ("lifetime_spent", "Its lifetime budget is spent."),
    "line_day": ("day_spent", "Its daily budget is spent until tomorrow."),
}


class Obstacle(msgspec.Struct, frozen=True):
    """What keeps a line item from every page."""

    code: Code
    words: str


class Budget(msgspec.Struct, frozen=True):
    """A budget: `held_micros` is set aside for ads on their way, and comes back where none is due.

    `cap_micros` is null where nobody set one, as for a campaign without a budget. `line_day` is of
    today, in the advertiser's zone.
    """

    scope: Scope
    cap_micros: int | None
    held_micros: int
    spent_micros: int


class Standing(msgspec.Struct, frozen=True):
    """What of a line item, its campaign and its advertiser decides whether it may be shown."""

    campaign_state: str
    starts_at: datetime
    hours: str | None
    zone: str
    bid_micros: int
    has_approved: bool
    has_granted: bool
    may_spend: bool


def obstacles_of(
    state: State, standing: Standing, budgets: Sequence[Budget], now: datetime
) -> Iterator[Obstacle]:
    """Yield what keeps a line item from every page; nothing where nothing does."""
    if state != "active":
        yield Obstacle(state, _STATES[state])
    yield from _of_time(standing, now)
    yield from _of_creatives(state, standing)
    if state == "active" and not standing.may_spend:
        yield Obstacle("no_budget_yet", "It may not spend: its budgets are being set up, or end.")
    for budget in budgets:
        cap = budget.cap_micros
        if cap is not None and cap - budget.spent_micros < standing.bid_micros:
            yield Obstacle(*_SPENT[budget.scope])


def _of_time(standing: Standing, now: datetime) -> Iterator[Obstacle]:
    if standing.campaign_state == "paused":
        yield Obstacle("campaign_paused", "Its campaign is paused.")
    if standing.campaign_state == "completed":
        yield Obstacle("campaign_over", "Its campaign is over.")
    if now < standing.starts_at:
        yield Obstacle("not_begun", f"It begins at {standing.starts_at.isoformat()}.")
    local = now.astimezone(ZoneInfo(standing.zone))
    if standing.hours and standing.hours[24 * local.weekday() + local.hour] == "0":
        yield Obstacle("hour_closed", "It is not shown in this hour of the week.")


def _of_creatives(state: State, standing: Standing) -> Iterator[Obstacle]:
    if not standing.has_approved and state not in {"in_review", "rejected"}:
        yield Obstacle("no_creative_approved", "None of its creatives is approved.")
    if standing.has_approved and not standing.has_granted:
        yield Obstacle("cameo_not_granted", "Who is seen in it has not granted it, or no longer.")
