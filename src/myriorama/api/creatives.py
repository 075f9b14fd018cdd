"""Routes of creatives: draft, list, read, edit, submit, appeal and withdraw them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from domain.ad_categories import Category
from domain.creative.content import CallToAction, SourceKind
from domain.creative.errors import CreativeNotFound
from myriorama.api.ad_terms import Cap, Caps, IfMatch, Name, caps_of, edits_of
from myriorama.api.creative_shapes import (
    ONE,
    Creative,
    CreativeRow,
    CreativeState,
    creative_of,
)
from myriorama.api.paging import FROM_OLDEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.creatives import Creatives, Sketch
from myriorama.store.front import Front
from myriorama.store.signing import Signer

OF_ADVERTISER = """
    SELECT creative_id, advertiser_id, name, source_kind, source_id, video_key, poster_key, width,
           height, duration_ms, cameo_ids, ai_label, landing_url, call_to_action, headline,
           category, caps, state, recalled, checks, reasons, note, statement, decided_by,
           decided_at, waiting_since, waiting_position, drafted_at, drafted_position, version
    FROM creatives WHERE advertiser_id = %s AND drafted_position > %s
    ORDER BY drafted_position LIMIT %s
"""

LandingURL = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=2048,
        description="https, on a public host.",
        examples=["https://shop.example.com/spring"],
    ),
]
Headline = Annotated[str, msgspec.Meta(max_length=80, examples=["Spring is here"])]
Statement = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A video that you published ("video"), or a draft of yours ("generation")."""

    kind: SourceKind
    id: UUID


class NewCreative(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A video of yours as an ad: 9:16, of 1 to 60 seconds. Without a category: the advertiser's."""

    name: Name
    source: Source
    landing_url: LandingURL
    call_to_action: CallToAction
    headline: Headline = ""
    category: Category | None = None
    caps: Caps = msgspec.field(default_factory=list[Cap])


class CreativeEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. All but name and caps is reviewed anew."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    source: Source | msgspec.UnsetType = msgspec.UNSET
    landing_url: LandingURL | msgspec.UnsetType = msgspec.UNSET
    call_to_action: CallToAction | msgspec.UnsetType = msgspec.UNSET
    headline: Headline | msgspec.UnsetType = msgspec.UNSET
    category: Category | msgspec.UnsetType = msgspec.UNSET
    caps: Caps | msgspec.UnsetType = msgspec.UNSET


class DraftedCreative(msgspec.Struct, frozen=True):
    """The creative that was drafted; `Location` tells where to read it."""

    creative_id: UUID


class ReviewedCreative(msgspec.Struct, frozen=True):
    """How the review of a creative stands."""

    creative_id: UUID
    state: CreativeState


class CreativeAppeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the rejection is wrong."""

    statement: Annotated[Statement, msgspec.Meta(examples=["It is a toy, and no weapon."])]


@post("/advertisers/{advertiser_id:uuid}/creatives", opt={"scope": Scope.ADVERTISER})
async def draft_creative(
    advertiser_id: FromPath[UUID],
    data: JSONBody[NewCreative],
    principal: NamedDependency[Principal],
    creatives: NamedDependency[Creatives],
    front: NamedDependency[Front],
) -> Response[DraftedCreative]:
    """Draft a creative of a video of yours; an editor may. Submit it to have it reviewed."""
    sketch = Sketch(
        name=data.name,
        source_kind=data.source.kind,
        source_id=data.source.id,
        landing_url=data.landing_url,
        call_to_action=data.call_to_action,
        headline=data.headline,
        category=data.category,
        caps=caps_of(data.caps),
    )
    by, at = principal.account_id, datetime.now(UTC)
    creative_id = await front.command(creatives.draft, advertiser_id, sketch, by=by, at=at)
    location = {"Location": f"/v1/creatives/{creative_id}"}
    return Response(DraftedCreative(creative_id), headers=location)


@get("/advertisers/{advertiser_id:uuid}/creatives", opt={"scope": Scope.ADVERTISER})
async def list_creatives(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Creative]:
    """List the creatives of an advertiser, the oldest first."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    listing = f"creatives:{advertiser_id}"
    (after,) = cursors.read(listing, cursor) or FROM_OLDEST
    found = await reads.many(CreativeRow, OF_ADVERTISER, (advertiser_id, after, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda row: creative_of(row, signer),
        place=lambda row: (row.drafted_position,),
    )


@get("/creatives/{creative_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_creative(
    creative_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    signer: NamedDependency[Signer],
) -> Response[Creative]:
    """Read a creative, and why it was rejected if it was; its ETag is for a later If-Match."""
    row = await reads.one(CreativeRow, ONE, (creative_id,))
    refusal = CreativeNotFound("There is no such creative.")
    of = row.advertiser_id if row else None
    await tenancy.require_of(of, refusal, by=principal.account_id)
    if row is None:
        raise refusal
    return Response(creative_of(row, signer), headers={"ETag": etag(row.version)})


@patch("/creatives/{creative_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def edit_creative(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    creative_id: FromPath[UUID],
    data: JSONBody[CreativeEdit],
    principal: NamedDependency[Principal],
    creatives: NamedDependency[Creatives],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[ReviewedCreative]:
    """Change a creative; what had been submitted is reviewed anew, unless only name or caps are."""
    edits = edits_of(data)
    if data.source is not msgspec.UNSET:
        del edits["source"]
        edits |= {"source_kind": data.source.kind, "source_id": data.source.id}
    creative = await front.command(
        creatives.edit,
        creative_id,
        edits,
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=datetime.now(UTC),
    )
    edited = ReviewedCreative(creative.id, creative.state)
    return Response(edited, headers={"ETag": etag(creative.version)})


@post("/creatives/{creative_id:uuid}/submit", opt={"scope": Scope.ADVERTISER}, status_code=200)
async def submit_creative(
    creative_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    creatives: NamedDependency[Creatives],
    front: NamedDependency[Front],
) -> ReviewedCreative:
    """Have a creative reviewed: at once, unless a check is in doubt and a person decides."""
    by, at = principal.account_id, datetime.now(UTC)
    creative = await front.command(creatives.submit, creative_id, by=by, at=at)
    return ReviewedCreative(creative.id, creative.state)


@post("/creatives/{creative_id:uuid}/appeal", opt={"scope": Scope.ADVERTISER}, status_code=204)
async def appeal_rejection(
    creative_id: FromPath[UUID],
    data: JSONBody[CreativeAppeal],
    principal: NamedDependency[Principal],
    creatives: NamedDependency[Creatives],
    front: NamedDependency[Front],
) -> None:
    """Say why a rejection is wrong, once; a person looks at it."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(creatives.appeal, creative_id, data.statement, by=by, at=at)


@delete("/creatives/{creative_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def withdraw_creative(
    creative_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    creatives: NamedDependency[Creatives],
    front: NamedDependency[Front],
) -> None:
    """Show a creative no more, for good."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(creatives.withdraw, creative_id, by=by, at=at)


router = Router(
    "/v1",
    route_handlers=[
        draft_creative,
        list_creatives,
        read_creative,
        edit_creative,
        submit_creative,
        appeal_rejection,
        withdraw_creative,
    ],
    tags=["Advertising"],
)
