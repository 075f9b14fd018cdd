"""Routes of a campaign's exports: what its bill is made of, chained, and what checks it."""

import asyncio
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from domain.campaign.errors import CampaignNotFound
from domain.errors import NotFound
from myriorama.api.ad_terms import Instant
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.billing import exports as export_files
from myriorama.billing.exports import MEDIA_TYPE, SCRIPT
from myriorama.store.objects import Objects

ADVERTISER = "SELECT advertiser_id FROM campaigns WHERE campaign_id = %s"

EXPORTS = """
    SELECT number, made_at, previous, head, lines, bytes, net_micros, object_key
    FROM ad_exports WHERE campaign_id = %s AND number < %s ORDER BY number DESC LIMIT %s
"""

EXPORT = """
    SELECT number, made_at, previous, head, lines, bytes, net_micros, object_key
    FROM ad_exports WHERE campaign_id = %s AND head = %s
"""

HEADS = """
    SELECT DISTINCT ON (campaign_id) campaign_id, number, head, made_at FROM ad_exports
    WHERE advertiser_id = %s AND coalesce(campaign_id = %s::uuid, true)
    ORDER BY campaign_id, number DESC
"""

_NUMBER_MAX = 2**31 - 1


class AdExportNotFound(NotFound):
    """The campaign has no such export."""


class AdExport(msgspec.Struct, frozen=True):
    """An export that was made, once and for good.

    Keep its `head`: every later export begins with it, so that nothing before it can be changed
    unseen. `net_micros` is what was charged less what was credited in it.
    """

    number: int
    made_at: Instant
    previous: str
    head: str
    lines: int
    bytes: int
    net_micros: int


class Head(msgspec.Struct, frozen=True):
    """The head of an export: nothing in it, nor before it, can be changed unseen since."""

    campaign_id: UUID
    number: int
    head: str
    made_at: Instant


class KeptExport(AdExport, frozen=True):
    """An export as it is kept."""

    object_key: str


@get("/v1/ads/recompute_bill.py", opt={"scope": Scope.PUBLIC}, media_type="text/x-python")
async def read_bill_script() -> Response[str]:
    """Fetch the script that makes a bill again from its exports, with Python and nothing else."""
    script = await asyncio.to_thread(SCRIPT.read_text)
    return Response(script, media_type="text/x-python; charset=utf-8")


@post("/exports", opt={"scope": Scope.ADVERTISER})
async def make_ad_export(
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    ad_exports: NamedDependency[export_files.Exports],
) -> AdExport:
    """Export what was settled and credited since the last export; else the answer is that one."""
    await _require(campaign_id, principal, tenancy, reads)
    made = await asyncio.to_thread(ad_exports.make, campaign_id)
    return msgspec.convert(made, AdExport, from_attributes=True)


@get("/exports", opt={"scope": Scope.ADVERTISER})
async def list_ad_exports(  # noqa: PLR0913, PLR0917 - what a list takes
    campaign_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[AdExport]:
    """List the exports of a campaign, newest first, each with its head."""
    await _require(campaign_id, principal, tenancy, reads)
    listing = f"ad_exports:{campaign_id}"
    (before,) = cursors.read(listing, cursor) or (_NUMBER_MAX,)
    found = await reads.many(KeptExport, EXPORTS, (campaign_id, before, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda kept: msgspec.convert(kept, AdExport, from_attributes=True),
        place=lambda kept: (kept.number,),
    )


@get("/exports/{head:str}", opt={"scope": Scope.ADVERTISER}, media_type=MEDIA_TYPE)
async def read_ad_export(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    campaign_id: FromPath[UUID],
    head: FromPath[str],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    objects: NamedDependency[Objects],
) -> Stream:
    """Fetch an export by its head, as JSON lines; one behind the other they are one chain.

    The head is the SHA-256 of its last line: it says what must be in it.
    """
    await _require(campaign_id, principal, tenancy, reads)
    found = await reads.one(KeptExport, EXPORT, (campaign_id, head))
    if found is None:
        raise AdExportNotFound("The campaign has no export with this head.")
    headers = {
        "Content-Disposition": f'attachment; filename="{campaign_id}-{found.number:06d}.jsonl"',
        "Content-Length": str(found.bytes),
    }
    return Stream(objects.stream(found.object_key), media_type=MEDIA_TYPE, headers=headers)


class _Owner(msgspec.Struct, frozen=True):
    advertiser_id: UUID


async def _require(campaign_id: UUID, principal: Principal, tenancy: Tenancy, reads: Reads) -> None:
    owner = await reads.one(_Owner, ADVERTISER, (campaign_id,))
    refusal = CampaignNotFound("There is no such campaign.")
    of = owner.advertiser_id if owner else None
    await tenancy.require_of(of, refusal, by=principal.account_id)


routers = (
    Router("/", route_handlers=[read_bill_script], tags=["Advertising"]),
    Router(
        "/v1/campaigns/{campaign_id:uuid}",
        route_handlers=[make_ad_export, list_ad_exports, read_ad_export],
        tags=["Advertising"],
    ),
)
