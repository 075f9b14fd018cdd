"""Routes of how accounts stand to one another: follow, block, mute, and the lists of each."""

from datetime import UTC, datetime

from litestar import Router, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from myriorama.api.paging import PAGE_LIMIT, Page, PageLimit
from myriorama.api.people import People, Somebody
from myriorama.api.tokens import Principal, Scope
from myriorama.application.followings import Followings
from myriorama.store.front import Front


@put(
    "/accounts/{handle:str}/follow",
    opt={"scope": Scope.VIEWER},
    status_code=204,
)
async def follow(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    followings: NamedDependency[Followings],
    front: NamedDependency[Front],
) -> None:
    """Follow an account."""
    await front.command(followings.follow, principal.account_id, handle, at=datetime.now(UTC))


@delete("/accounts/{handle:str}/follow", opt={"scope": Scope.VIEWER})
async def unfollow(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    followings: NamedDependency[Followings],
    front: NamedDependency[Front],
) -> None:
    """Follow an account no longer."""
    await front.command(followings.unfollow, principal.account_id, handle, at=datetime.now(UTC))


@put(
    "/accounts/{handle:str}/block",
    opt={"scope": Scope.VIEWER},
    status_code=204,
)
async def block(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    followings: NamedDependency[Followings],
    front: NamedDependency[Front],
) -> None:
    """Block an account: neither of you sees or follows the other any more."""
    await front.command(followings.block, principal.account_id, handle, at=datetime.now(UTC))


@delete("/accounts/{handle:str}/block", opt={"scope": Scope.VIEWER})
async def unblock(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    followings: NamedDependency[Followings],
    front: NamedDependency[Front],
) -> None:
    """Take a block back. Who followed before does not follow again by itself."""
    await front.command(followings.unblock, principal.account_id, handle, at=datetime.now(UTC))


@put(
    "/accounts/{handle:str}/mute",
    opt={"scope": Scope.VIEWER},
    status_code=204,
)
async def mute(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    followings: NamedDependency[Followings],
    front: NamedDependency[Front],
) -> None:
    """Mute an account: your feed does not show it, and it is not told."""
    await front.command(followings.mute, principal.account_id, handle, at=datetime.now(UTC))


@delete("/accounts/{handle:str}/mute", opt={"scope": Scope.VIEWER})
async def unmute(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    followings: NamedDependency[Followings],
    front: NamedDependency[Front],
) -> None:
    """Take a mute back."""
    await front.command(followings.unmute, principal.account_id, handle, at=datetime.now(UTC))


@get("/accounts/{handle:str}/followers", opt={"scope": Scope.VIEWER})
async def list_followers(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    people: NamedDependency[People],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Somebody]:
    """List who follows an account, the newest first."""
    return await people.followers(handle, principal.account_id, limit, cursor)


@get("/accounts/{handle:str}/following", opt={"scope": Scope.VIEWER})
async def list_following(
    handle: FromPath[str],
    principal: NamedDependency[Principal],
    people: NamedDependency[People],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Somebody]:
    """List whom an account follows, the newest first."""
    return await people.following(handle, principal.account_id, limit, cursor)


@get("/me/mutuals", opt={"scope": Scope.VIEWER})
async def list_mutuals(
    principal: NamedDependency[Principal],
    people: NamedDependency[People],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Somebody]:
    """List whom you follow and who follow you too."""
    return await people.mutuals(principal.account_id, limit, cursor)


@get("/me/blocked", opt={"scope": Scope.VIEWER})
async def list_blocked(
    principal: NamedDependency[Principal],
    people: NamedDependency[People],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Somebody]:
    """List whom you block."""
    return await people.blocked(principal.account_id, limit, cursor)


@get("/me/muted", opt={"scope": Scope.VIEWER})
async def list_muted(
    principal: NamedDependency[Principal],
    people: NamedDependency[People],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Somebody]:
    """List whom you mute."""
    return await people.muted(principal.account_id, limit, cursor)


router = Router(
    "/v1",
    route_handlers=[
        follow,
        unfollow,
        block,
        unblock,
        mute,
        unmute,
        list_followers,
        list_following,
        list_mutuals,
        list_blocked,
        list_muted,
    ],
    tags=["Following"],
)
