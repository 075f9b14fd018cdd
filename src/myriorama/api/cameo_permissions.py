"""Routes of a cameo's permissions: grant, deny and clear them; ask for one, answer who asked."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from myriorama.api.paging import FROM_NEWEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.cameos import Cameos
from myriorama.store.front import Front

SAID = """
    SELECT p.account_id, a.handle, a.display_name, p.verdict, p.message, p.expires_at, p.since,
           p.position
    FROM cameo_permissions p JOIN accounts a USING (account_id)
    WHERE p.cameo_id = %s AND p.verdict = ANY(%s) AND p.position < %s
    ORDER BY p.position DESC LIMIT %s
"""


class NewPermission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What you say about one account, until a moment to come; without one, until you clear it."""

    verdict: Literal["granted", "denied"]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class NewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What you tell the owner."""

    message: Annotated[str, msgspec.Meta(max_length=300, examples=["For a film of foxes."])] = ""


class SaidRow(msgspec.Struct, frozen=True):
    """A permission or a request, as the read side has it."""

    account_id: UUID
    handle: str
    display_name: str
    verdict: Literal["granted", "denied", "requested"]
    message: str | None
    expires_at: datetime | None
    since: datetime
    position: int


class Permission(msgspec.Struct, frozen=True):
    """What the owner said about an account. Past `expires_at`, it counts for nothing."""

    account_id: UUID
    handle: str
    display_name: str
    verdict: Literal["granted", "denied"]
    expires_at: datetime | None
    since: datetime


class PermissionRequest(msgspec.Struct, frozen=True):
    """An account that has asked, and waits for an answer."""

    account_id: UUID
    handle: str
    display_name: str
    message: str
    asked_at: datetime


class Requested(msgspec.Struct, frozen=True):
    """Your request, which the owner has before them."""

    cameo_id: UUID
    message: str
    asked_at: datetime


@get("/permissions", opt={"scope": Scope.VIEWER})
async def list_permissions(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    cameo_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Permission]:
    """List whom you granted or denied your cameo, the latest first."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(cameos.require_owner, cameo_id, by=by, at=at)
    listing = f"permissions:{cameo_id}"
    verdicts = ["granted", "denied"]
    found = await reads.many(
        SaidRow, SAID, (cameo_id, verdicts, _before(cursors, listing, cursor), limit + 1)
    )
    items = [
        Permission(row.account_id, row.handle, row.display_name, verdict, row.expires_at, row.since)
        for row in found[:limit]
        if (verdict := row.verdict) != "requested"
    ]
    return Page(items=items, next_cursor=_next(cursors, listing, found, limit))


@put(
    "/permissions/{account_id:uuid}",
    opt={"scope": Scope.CREATOR},
    status_code=204,
)
async def permit(  # noqa: PLR0913, PLR0917 - parameters are explicit, and passed by name
    cameo_id: FromPath[UUID],
    account_id: FromPath[UUID],
    data: JSONBody[NewPermission],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
) -> None:
    """Grant or deny an account the casting of your cameo. It answers their request, if any."""
    await front.command(
        cameos.permit,
        cameo_id,
        account_id,
        data.verdict,
        expires_at=data.expires_at,
        by=principal.account_id,
        at=datetime.now(UTC),
    )


@delete("/permissions/{account_id:uuid}", opt={"scope": Scope.CREATOR})
async def clear_permission(
    cameo_id: FromPath[UUID],
    account_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
) -> None:
    """Take back what you granted to or denied an account: your audience decides again."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(cameos.clear_permission, cameo_id, account_id, by=by, at=at)


@post("/requests", opt={"scope": Scope.CREATOR})
async def request_permission(
    cameo_id: FromPath[UUID],
    data: JSONBody[NewRequest],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
) -> Requested:
    """Ask the owner of a cameo for permission to cast it."""
    at = datetime.now(UTC)
    by = principal.account_id
    await front.command(cameos.request_permission, cameo_id, data.message, by=by, at=at)
    return Requested(cameo_id, data.message, at)


@get("/requests", opt={"scope": Scope.VIEWER})
async def list_requests(  # noqa: PLR0913, PLR0917 - parameters are explicit, and passed by name
    cameo_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[PermissionRequest]:
    """List who has asked for your cameo and waits for an answer, the latest first."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(cameos.require_owner, cameo_id, by=by, at=at)
    listing = f"permission-requests:{cameo_id}"
    found = await reads.many(
        SaidRow, SAID, (cameo_id, ["requested"], _before(cursors, listing, cursor), limit + 1)
    )
    items = [
        PermissionRequest(
            row.account_id, row.handle, row.display_name, row.message or "", row.since
        )
        for row in found[:limit]
    ]
    return Page(items=items, next_cursor=_next(cursors, listing, found, limit))


@delete("/requests/{account_id:uuid}", opt={"scope": Scope.CREATOR})
async def decline_request(
    cameo_id: FromPath[UUID],
    account_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    cameos: NamedDependency[Cameos],
    front: NamedDependency[Front],
) -> None:
    """Answer a request with no. They may ask again; to prevent that, deny."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(cameos.decline_request, cameo_id, account_id, by=by, at=at)


def _before(cursors: Cursors, listing: str, cursor: str | None) -> str | int:
    (before,) = cursors.read(listing, cursor) or FROM_NEWEST
    return before


def _next(cursors: Cursors, listing: str, found: list[SaidRow], limit: int) -> str | None:
    return cursors.write(listing, (found[limit - 1].position,)) if len(found) > limit else None


router = Router(
    "/v1/cameos/{cameo_id:uuid}",
    route_handlers=[
        list_permissions,
        permit,
        clear_permission,
        request_permission,
        list_requests,
        decline_request,
    ],
    tags=["Cameos"],
)
