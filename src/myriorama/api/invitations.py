"""Routes of invitations: issue them, see what became of them, take them back."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from myriorama.api.paging import FROM_NEWEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.accounts import Accounts
from myriorama.store.front import Front

ISSUED = """
    SELECT code, state, redeemed_by, issued_at, position FROM invitations
    WHERE issuer_id = %s AND position < %s ORDER BY position DESC LIMIT %s
"""


class Invitation(msgspec.Struct, frozen=True):
    """A code, and who came by it."""

    code: Annotated[str, msgspec.Meta(examples=["7K2MPQ9XAB"])]
    state: Literal["open", "redeemed", "revoked"]
    redeemed_by: UUID | None
    issued_at: datetime


class Issued(Invitation, frozen=True):
    """An invitation, and where it stands in the list."""

    position: int


@post("/", opt={"scope": Scope.VIEWER})
async def issue_invitation(
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> Invitation:
    """Issue an invitation out of your allotment."""
    at = datetime.now(UTC)
    code = await front.command(accounts.issue_invitation, issuer_id=principal.account_id, at=at)
    return Invitation(code=code, state="open", redeemed_by=None, issued_at=at)


@get("/", opt={"scope": Scope.VIEWER})
async def list_invitations(
    principal: NamedDependency[Principal],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Invitation]:
    """List the invitations you issued, newest first."""
    listing = f"invitations:{principal.account_id}"
    (before,) = cursors.read(listing, cursor) or FROM_NEWEST
    found = await reads.many(Issued, ISSUED, (principal.account_id, before, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda row: Invitation(row.code, row.state, row.redeemed_by, row.issued_at),
        place=lambda row: (row.position,),
    )


@delete("/{code:str}", opt={"scope": Scope.VIEWER})
async def revoke_invitation(
    code: FromPath[str],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> None:
    """Take an invitation back before somebody uses it."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(accounts.revoke_invitation, code, by=by, at=at)


router = Router(
    "/v1/invitations",
    route_handlers=[issue_invitation, list_invitations, revoke_invitation],
    tags=["Accounts"],
)
