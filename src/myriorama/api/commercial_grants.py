"""Routes of a cameo's commercial grants: which advertisers may show it in ads."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from litestar import Router, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from myriorama.api.ad_terms import Instant
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.commercial_grants import CommercialGrants
from myriorama.store.front import Front

OF_CAMEO = """
    SELECT g.advertiser_id, a.name, g.granted_at, g.expires_at
    FROM commercial_grants g JOIN advertisers a USING (advertiser_id)
    WHERE g.cameo_id = %s ORDER BY g.granted_at, g.advertiser_id
"""


class NewCommercialGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when an advertiser may show your cameo; without an end, until you withdraw it."""

    expires_at: Instant | None = None


class CommercialGrant(msgspec.Struct, frozen=True):
    """An advertiser that may show the cameo. Past `expires_at`, it may not."""

    advertiser_id: UUID
    name: str
    granted_at: Instant
    expires_at: Instant | None


@get("/commercial-grants", opt={"scope": Scope.VIEWER})
async def list_commercial_grants(
    cameo_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    commercial_grants: NamedDependency[CommercialGrants],
    front: NamedDependency[Front],
    reads: NamedDependency[Reads],
) -> list[CommercialGrant]:
    """List which advertisers may show your cameo in ads."""
    await front.command(commercial_grants.require_owner, cameo_id, by=principal.account_id)
    return await reads.many(CommercialGrant, OF_CAMEO, (cameo_id,))


@put(
    "/commercial-grants/{advertiser_id:uuid}",
    opt={"scope": Scope.CREATOR},
    status_code=204,
)
async def grant_commercial_use(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    cameo_id: FromPath[UUID],
    advertiser_id: FromPath[UUID],
    data: JSONBody[NewCommercialGrant],
    principal: NamedDependency[Principal],
    commercial_grants: NamedDependency[CommercialGrants],
    front: NamedDependency[Front],
) -> None:
    """Let an advertiser show your cameo in ads. Nobody may whom you did not name, nor you."""
    await front.command(
        commercial_grants.give,
        cameo_id,
        advertiser_id,
        expires_at=data.expires_at,
        by=principal.account_id,
        at=datetime.now(UTC),
    )


@delete("/commercial-grants/{advertiser_id:uuid}", opt={"scope": Scope.CREATOR})
async def withdraw_commercial_use(
    cameo_id: FromPath[UUID],
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    commercial_grants: NamedDependency[CommercialGrants],
    front: NamedDependency[Front],
) -> None:
    """Let an advertiser show your cameo no more: its ads with it stop within a second."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(commercial_grants.withdraw, cameo_id, advertiser_id, by=by, at=at)


router = Router(
    "/v1/cameos/{cameo_id:uuid}",
    route_handlers=[list_commercial_grants, grant_commercial_use, withdraw_commercial_use],
    tags=["Cameos"],
)
