"""Routes of campaigns: open, list, read, edit, pause, resume and complete them."""

from datetime import UTC, datetime
from typing import Literal, LiteralString
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from domain.campaign.errors import CampaignNotFound
from domain.campaign.plan import Objective, Plan
from myriorama.api.ad_terms import (
    Cap,
    Caps,
    Changed,
    IfMatch,
    Instant,
    Micros,
    Name,
    caps_of,
    changed,
    edits_of,
)
from myriorama.api.paging import FROM_OLDEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.campaigns import Campaigns
from myriorama.store.front import Front

_CAMPAIGN: LiteralString = """
    SELECT campaign_id, advertiser_id, name, objective, budget_micros, starts_at, ends_at, caps,
           state, opened_at, opened_position, version
    FROM campaigns
"""

_LISTED: LiteralString = """
    WHERE advertiser_id = %s AND opened_position > %s ORDER BY opened_position LIMIT %s
"""

OF_ADVERTISER = _CAMPAIGN + _LISTED
ONE = _CAMPAIGN + "WHERE campaign_id = %s"

State = Literal["active", "paused", "completed"]


class NewCampaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an advertiser wants. Without an end it runs until it is completed.

    All line items together spend at most the budget, if there is one.
    """

    name: Name
    objective: Objective
    starts_at: Instant
    ends_at: Instant | None = None
    budget_micros: Micros | None = None
    caps: Caps = msgspec.field(default_factory=list[Cap])


class CampaignEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    objective: Objective | msgspec.UnsetType = msgspec.UNSET
    starts_at: Instant | msgspec.UnsetType = msgspec.UNSET
    ends_at: Instant | msgspec.UnsetType | None = msgspec.UNSET
    budget_micros: Micros | msgspec.UnsetType | None = msgspec.UNSET
    caps: Caps | msgspec.UnsetType = msgspec.UNSET


class OpenedCampaign(msgspec.Struct, frozen=True):
    """The campaign that was opened; `Location` tells where to read it."""

    campaign_id: UUID


class Campaign(msgspec.Struct, frozen=True):
    """A purpose, a flight and a budget for some line items."""

    campaign_id: UUID
    advertiser_id: UUID
    name: str
    objective: Objective
    budget_micros: int | None
    starts_at: Instant
    ends_at: Instant | None
    caps: list[Cap]
    state: State
    opened_at: Instant


class CampaignRow(msgspec.Struct, frozen=True):
    """A campaign as it lies on the read side."""

    campaign_id: UUID
    advertiser_id: UUID
    name: str
    objective: Objective
    budget_micros: int | None
    starts_at: datetime
    ends_at: datetime | None
    caps: object
    state: State
    opened_at: datetime
    opened_position: int
    version: int


@post("/advertisers/{advertiser_id:uuid}/campaigns", opt={"scope": Scope.ADVERTISER})
async def open_campaign(
    advertiser_id: FromPath[UUID],
    data: JSONBody[NewCampaign],
    principal: NamedDependency[Principal],
    campaigns: NamedDependency[Campaigns],
    front: NamedDependency[Front],
) -> Response[OpenedCampaign]:
    """Open a campaign; an editor may."""
    plan = Plan(
        name=data.name,
        objective=data.objective,
        budget_micros=data.budget_micros,
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        caps=caps_of(data.caps),
    )
    by, at = principal.account_id, datetime.now(UTC)
    campaign_id = await front.command(campaigns.open, advertiser_id, plan, by=by, at=at)
    location = {"Location": f"/v1/campaigns/{campaign_id}"}
    return Response(OpenedCampaign(campaign_id), headers=location)


@get("/advertisers/{advertiser_id:uuid}/campaigns", opt={"scope": Scope.ADVERTISER})
async def list_campaigns(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Campaign]:
    """List the campaigns of an advertiser, the oldest first."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    listing = f"campaigns:{advertiser_id}"
    (after,) = cursors.read(listing, cursor) or FROM_OLDEST
    found = await reads.many(CampaignRow, OF_ADVERTISER, (advertiser_id, after, limit + 1))
    return cursors.page(
        listing, found, limit, item=_campaign, place=lambda row: (row.opened_position,)
    )


@get("/campaigns/{campaign_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_campaign(
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> Response[Campaign]:
    """Read a campaign; its ETag is what a later edit shows as If-Match."""
    row = await reads.one(CampaignRow, ONE, (campaign_id,))
    refusal = CampaignNotFound("There is no such campaign.")
    of = row.advertiser_id if row else None
    await tenancy.require_of(of, refusal, by=principal.account_id)
    if row is None:
        raise refusal
    return Response(_campaign(row), headers={"ETag": etag(row.version)})


@patch("/campaigns/{campaign_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def edit_campaign(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    campaign_id: FromPath[UUID],
    data: JSONBody[CampaignEdit],
    principal: NamedDependency[Principal],
    campaigns: NamedDependency[Campaigns],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[Changed]:
    """Change name, objective, flight, budget or caps; an editor may."""
    campaign = await front.command(
        campaigns.edit,
        campaign_id,
        edits_of(data),
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=datetime.now(UTC),
    )
    return changed(campaign.version)


@post("/campaigns/{campaign_id:uuid}/pause", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def pause_campaign(
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    campaigns: NamedDependency[Campaigns],
    front: NamedDependency[Front],
) -> None:
    """Show no ad of a campaign, from within a second on."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(campaigns.pause, campaign_id, by=by, at=at)


@post("/campaigns/{campaign_id:uuid}/resume", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def resume_campaign(
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    campaigns: NamedDependency[Campaigns],
    front: NamedDependency[Front],
) -> None:
    """Let the ads of a campaign be shown again."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(campaigns.resume, campaign_id, by=by, at=at)


@post("/campaigns/{campaign_id:uuid}/complete", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def complete_campaign(
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    campaigns: NamedDependency[Campaigns],
    front: NamedDependency[Front],
) -> None:
    """End a campaign for good."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(campaigns.complete, campaign_id, by=by, at=at)


def _campaign(row: CampaignRow) -> Campaign:
    return msgspec.convert(row, Campaign, from_attributes=True)


router = Router(
    "/v1",
    route_handlers=[
        open_campaign,
        list_campaigns,
        read_campaign,
        edit_campaign,
        pause_campaign,
        resume_campaign,
        complete_campaign,
    ],
    tags=["Advertising"],
)
