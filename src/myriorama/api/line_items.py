"""Routes of line items: open, list, read, edit, submit, pause, resume and complete them."""

from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from domain.campaign.errors import CampaignNotFound
from domain.line_item.errors import LineItemNotFound
from domain.line_item.states import State
from myriorama.api.ad_terms import Changed, IfMatch, changed
from myriorama.api.line_item_shapes import (
    LineItem,
    LineItemEdit,
    LineItemRow,
    NewLineItem,
    line_item_edits,
    line_item_of,
    proposal_of,
)
from myriorama.api.paging import FROM_OLDEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.line_items import LineItems
from myriorama.store.front import Front

OWNER = "SELECT advertiser_id FROM campaigns WHERE campaign_id = %s"

_LINE_ITEM: LiteralString = """
    SELECT l.line_item_id, l.advertiser_id, l.campaign_id, l.name, l.kind, l.category, l.guaranteed,
           l.bid_micros, l.daily_budget_micros, l.lifetime_budget_micros, l.exhausted_micros,
           l.starts_at, l.ends_at, l.hours, l.pacing, l.targeting, l.caps, l.suitability,
           l.creative_ids, l.bidder, l.stage, l.opened_at, l.opened_position, l.version, ARRAY(
        SELECT v.state FROM creatives v
        WHERE v.creative_id = ANY(l.creative_ids) AND NOT v.recalled
    ) AS creative_states,
    coalesce(least(l.ends_at, c.ends_at) <= now(), false) OR c.state = 'completed' AS is_over
    FROM line_items l JOIN campaigns c USING (campaign_id)
"""

_LISTED: LiteralString = """
    WHERE l.campaign_id = %s AND l.opened_position > %s ORDER BY l.opened_position LIMIT %s
"""

OF_CAMPAIGN = _LINE_ITEM + _LISTED
ONE = _LINE_ITEM + "WHERE l.line_item_id = %s"


class OpenedLineItem(msgspec.Struct, frozen=True):
    """The line item that was opened, as a draft; `Location` tells where to read it."""

    line_item_id: UUID


class SubmittedLineItem(msgspec.Struct, frozen=True):
    """In which state a line item is, now that it was submitted."""

    line_item_id: UUID
    state: State


class Owner(msgspec.Struct, frozen=True):
    """Whose a campaign is."""

    advertiser_id: UUID


@post("/campaigns/{campaign_id:uuid}/line-items", opt={"scope": Scope.ADVERTISER})
async def open_line_item(
    campaign_id: FromPath[UUID],
    data: JSONBody[NewLineItem],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    front: NamedDependency[Front],
) -> Response[OpenedLineItem]:
    """Open a line item, which is a draft until it is submitted; an editor may."""
    by, at = principal.account_id, datetime.now(UTC)
    proposal = proposal_of(data)
    line_item_id = await front.command(line_items.open, campaign_id, proposal, by=by, at=at)
    location = {"Location": f"/v1/line-items/{line_item_id}"}
    return Response(OpenedLineItem(line_item_id), headers=location)


@get("/campaigns/{campaign_id:uuid}/line-items", opt={"scope": Scope.ADVERTISER})
async def list_line_items(  # noqa: PLR0913, PLR0917 - what a list takes
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[LineItem]:
    """List the line items of a campaign, the oldest first."""
    owner = await reads.one(Owner, OWNER, (campaign_id,))
    refusal = CampaignNotFound("There is no such campaign.")
    of = owner.advertiser_id if owner else None
    await tenancy.require_of(of, refusal, by=principal.account_id)
    listing = f"line-items:{campaign_id}"
    (after,) = cursors.read(listing, cursor) or FROM_OLDEST
    found = await reads.many(LineItemRow, OF_CAMPAIGN, (campaign_id, after, limit + 1))
    return cursors.page(
        listing, found, limit, item=line_item_of, place=lambda row: (row.opened_position,)
    )


@get("/line-items/{line_item_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_line_item(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> Response[LineItem]:
    """Read a line item; its ETag is what a later edit shows as If-Match."""
    row = await reads.one(LineItemRow, ONE, (line_item_id,))
    refusal = LineItemNotFound("There is no such line item.")
    of = row.advertiser_id if row else None
    await tenancy.require_of(of, refusal, by=principal.account_id)
    if row is None:
        raise refusal
    return Response(line_item_of(row), headers={"ETag": etag(row.version)})


@patch("/line-items/{line_item_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def edit_line_item(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    line_item_id: FromPath[UUID],
    data: JSONBody[LineItemEdit],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[Changed]:
    """Change what a line item bids, for whom and when; an editor may, and nobody reviews it."""
    line_item = await front.command(
        line_items.edit,
        line_item_id,
        line_item_edits(data),
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=datetime.now(UTC),
    )
    return changed(line_item.version)


@post("/line-items/{line_item_id:uuid}/submit", opt={"scope": Scope.ADVERTISER}, status_code=200)
async def submit_line_item(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    front: NamedDependency[Front],
) -> SubmittedLineItem:
    """Let a line item be shown as soon as one of its creatives is approved."""
    by, at = principal.account_id, datetime.now(UTC)
    state: State = await front.command(line_items.submit, line_item_id, by=by, at=at)
    return SubmittedLineItem(line_item_id, state)


@post("/line-items/{line_item_id:uuid}/pause", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def pause_line_item(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    front: NamedDependency[Front],
) -> None:
    """Show nothing of a line item, from within a second on."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(line_items.pause, line_item_id, by=by, at=at)


@post("/line-items/{line_item_id:uuid}/resume", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def resume_line_item(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    front: NamedDependency[Front],
) -> None:
    """Let a line item be shown again."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(line_items.resume, line_item_id, by=by, at=at)


@post("/line-items/{line_item_id:uuid}/complete", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def complete_line_item(
    line_item_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    line_items: NamedDependency[LineItems],
    front: NamedDependency[Front],
) -> None:
    """End a line item for good."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(line_items.complete, line_item_id, by=by, at=at)


router = Router(
    "/v1",
    route_handlers=[
        open_line_item,
        list_line_items,
        read_line_item,
        edit_line_item,
        submit_line_item,
        pause_line_item,
        resume_line_item,
        complete_line_item,
    ],
    tags=["Advertising"],
)
