"""Routes of advertisers: open one, edit it, and say whose accounts act for it."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from domain.ad_categories import Category
from domain.advertiser.errors import AdvertiserNotFound
from domain.advertiser.membership import Role
from myriorama.api.ad_terms import Cap, Caps, Changed, IfMatch, Instant, Name, changed, edits_of
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.advertisers import Advertisers, Registration
from myriorama.store.front import Front

OWN = """
    SELECT a.advertiser_id, a.name, m.role, a.sandbox
    FROM advertiser_members m JOIN advertisers a USING (advertiser_id)
    WHERE m.account_id = %s ORDER BY a.opened_at, a.advertiser_id
"""

ONE = """
    SELECT advertiser_id, name, website, category, currency, zone, sandbox, caps, opened_at, version
    FROM advertisers WHERE advertiser_id = %s
"""

MEMBERS = """
    SELECT m.account_id, a.handle, m.role, m.since
    FROM advertiser_members m JOIN accounts a USING (account_id)
    WHERE m.advertiser_id = %s ORDER BY m.since, m.account_id
"""

Website = Annotated[
    str,
    msgspec.Meta(
        min_length=4,
        max_length=253,
        description="The public host that ads lead to.",
        examples=["shop.example.com"],
    ),
]


class NewAdvertiser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to pay for ads. Currency (ISO 4217) and zone (IANA) are for good.

    A `sandbox` pays with no money, and no viewer is shown its ads: it is to try the API with.
    """

    name: Name
    website: Website
    category: Category
    zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["Europe/Berlin"])]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", examples=["USD"])] = "USD"
    sandbox: bool = False


class AdvertiserEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    website: Website | msgspec.UnsetType = msgspec.UNSET
    category: Category | msgspec.UnsetType = msgspec.UNSET
    caps: Caps | msgspec.UnsetType = msgspec.UNSET


class OpenedAdvertiser(msgspec.Struct, frozen=True):
    """The advertiser that was opened; `Location` tells where to read it."""

    advertiser_id: UUID


class OwnAdvertiser(msgspec.Struct, frozen=True):
    """An advertiser that you act for, and as what."""

    advertiser_id: UUID
    name: str
    role: Role
    sandbox: bool


class Advertiser(msgspec.Struct, frozen=True):
    """Who pays for ads: in `currency`, in days of `zone`; a `sandbox` only seems to."""

    advertiser_id: UUID
    name: str
    website: str
    category: str
    currency: str
    zone: str
    sandbox: bool
    caps: list[Cap]
    opened_at: Instant


class AdvertiserRow(msgspec.Struct, frozen=True):
    """An advertiser as it lies on the read side."""

    advertiser_id: UUID
    name: str
    website: str
    category: str
    currency: str
    zone: str
    sandbox: bool
    caps: object
    opened_at: datetime
    version: int


class Member(msgspec.Struct, frozen=True):
    """An account that acts for the advertiser."""

    account_id: UUID
    handle: str
    role: Role
    since: Instant


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account may do: a reader sees, an editor changes ads, an owner names members."""

    role: Role


@post("/advertisers", opt={"scope": Scope.ADVERTISER})
async def open_advertiser(
    data: JSONBody[NewAdvertiser],
    principal: NamedDependency[Principal],
    advertisers: NamedDependency[Advertisers],
    front: NamedDependency[Front],
) -> Response[OpenedAdvertiser]:
    """Open an advertiser, whose owner you are."""
    registration = Registration(**msgspec.structs.asdict(data))
    by, at = principal.account_id, datetime.now(UTC)
    advertiser_id = await front.command(advertisers.open, registration, by=by, at=at)
    location = {"Location": f"/v1/advertisers/{advertiser_id}"}
    return Response(OpenedAdvertiser(advertiser_id), headers=location)


@get("/advertisers", opt={"scope": Scope.ADVERTISER})
async def list_advertisers(
    principal: NamedDependency[Principal], reads: NamedDependency[Reads]
) -> list[OwnAdvertiser]:
    """List the advertisers that you act for."""
    return await reads.many(OwnAdvertiser, OWN, (principal.account_id,))


@get("/advertisers/{advertiser_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_advertiser(
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> Response[Advertiser]:
    """Read an advertiser that you act for; its ETag is what a later edit shows as If-Match."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    row = await reads.one(AdvertiserRow, ONE, (advertiser_id,))
    if row is None:
        raise AdvertiserNotFound("There is no such advertiser.")
    shown = msgspec.convert(row, Advertiser, from_attributes=True)
    return Response(shown, headers={"ETag": etag(row.version)})


@patch("/advertisers/{advertiser_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def edit_advertiser(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    advertiser_id: FromPath[UUID],
    data: JSONBody[AdvertiserEdit],
    principal: NamedDependency[Principal],
    advertisers: NamedDependency[Advertisers],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[Changed]:
    """Change name, website, category or caps; an editor may."""
    advertiser = await front.command(
        advertisers.edit,
        advertiser_id,
        edits_of(data),
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=datetime.now(UTC),
    )
    return changed(advertiser.version)


@get("/advertisers/{advertiser_id:uuid}/members", opt={"scope": Scope.ADVERTISER})
async def list_members(
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> list[Member]:
    """List whose accounts act for an advertiser, the first one first."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    return await reads.many(Member, MEMBERS, (advertiser_id,))


@put(
    "/advertisers/{advertiser_id:uuid}/members/{account_id:uuid}",
    opt={"scope": Scope.ADVERTISER},
    status_code=204,
)
async def admit_member(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    advertiser_id: FromPath[UUID],
    account_id: FromPath[UUID],
    data: JSONBody[Membership],
    principal: NamedDependency[Principal],
    advertisers: NamedDependency[Advertisers],
    front: NamedDependency[Front],
) -> None:
    """Let an account act for an advertiser, or in another role; an owner may."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(advertisers.admit, advertiser_id, account_id, data.role, by=by, at=at)


@delete(
    "/advertisers/{advertiser_id:uuid}/members/{account_id:uuid}",
    opt={"scope": Scope.ADVERTISER},
)
async def remove_member(
    advertiser_id: FromPath[UUID],
    account_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    advertisers: NamedDependency[Advertisers],
    front: NamedDependency[Front],
) -> None:
    """Let an account act no longer for an advertiser; an owner may, and each member for itself."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(advertisers.remove, advertiser_id, account_id, by=by, at=at)


router = Router(
    "/v1",
    route_handlers=[
        open_advertiser,
        list_advertisers,
        read_advertiser,
        edit_advertiser,
        list_members,
        admit_member,
        remove_member,
    ],
    tags=["Advertising"],
)
