"""Routes of accounts: sign up, who am I, how others see me."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody

from domain.account.errors import AccountNotFound
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.sessions import Password, Tokens, tokens_of
from myriorama.api.tokens import AccessTokens, Principal, Scope
from myriorama.application.accounts import Accounts, SignUp
from myriorama.store.front import Front

DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=50, examples=["Alice"])]
Bio = Annotated[str, msgspec.Meta(max_length=300, examples=["I make foxes jump."])]
HandleText = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{2,29}$", examples=["alice"])]
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", required=False)]

# An account is not there for those with whom there is a block, whoever blocks.
PROFILE = """
    SELECT a.account_id, a.handle, a.display_name, a.bio, a.avatar_upload_id, a.opened_at,
           CASE WHEN %(viewer_id)s::uuid IS NOT NULL THEN EXISTS (
               SELECT FROM relations r
               WHERE r.account_id = %(viewer_id)s AND r.other_id = a.account_id AND r.follows
           ) END AS following
    FROM accounts a
    WHERE a.handle = %(handle)s AND NOT are_blocked(a.account_id, %(viewer_id)s)
"""


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person who signs up tells of themselves."""

    handle: HandleText
    email: Annotated[str, msgspec.Meta(min_length=6, max_length=254, examples=["a@example.org"])]
    password: Annotated[
        str, msgspec.Meta(min_length=10, max_length=200, examples=["correct horse battery"])
    ]
    age_band: Literal["13-15", "16-17", "18+"]
    display_name: DisplayName | None = None
    invitation_code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None


class Profile(msgspec.Struct, frozen=True):
    """An account as others see it; `following` says whether you follow it, null to visitors."""

    account_id: UUID
    handle: str
    display_name: str
    bio: str
    avatar_upload_id: UUID | None
    opened_at: datetime
    following: bool | None


class Me(msgspec.Struct, frozen=True):
    """An account as its owner sees it."""

    account_id: UUID
    handle: str
    display_name: str
    bio: str
    avatar_upload_id: UUID | None
    age_band: str
    scopes: tuple[str, ...]
    invitations_left: int


class ProfileEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    display_name: DisplayName | msgspec.UnsetType = msgspec.UNSET
    bio: Bio | msgspec.UnsetType = msgspec.UNSET
    avatar_upload_id: UUID | msgspec.UnsetType | None = msgspec.UNSET


class PasswordEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The present password, and the one to come."""

    old: Password
    new: Annotated[str, msgspec.Meta(min_length=10, max_length=200)]


class Scopes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account's tokens may be used for."""

    scopes: tuple[
        Literal["viewer", "creator", "advertiser", "seller", "analyst", "moderator", "admin"], ...
    ]


@post("/accounts", opt={"scope": Scope.PUBLIC, "limit": "credentials"})
async def sign_up(
    data: JSONBody[NewAccount],
    accounts: NamedDependency[Accounts],
    tokens: NamedDependency[AccessTokens],
    front: NamedDependency[Front],
) -> Tokens:
    """Sign up, with an invitation unless the house is open. You are signed in at once."""
    at = datetime.now(UTC)
    form = SignUp(
        handle=data.handle,
        display_name=data.display_name or data.handle,
        email=data.email,
        password=data.password,
        age_band=data.age_band,
        invitation_code=data.invitation_code,
    )
    return tokens_of(await front.command(accounts.sign_up, form, at=at), tokens, at=at)


@get("/accounts/{handle:str}", opt={"scope": Scope.PUBLIC})
async def read_profile(
    handle: FromPath[str],
    visitor: NamedDependency[Principal | None],
    reads: NamedDependency[Reads],
) -> Profile:
    """Read how an account presents itself."""
    viewer_id = visitor.account_id if visitor else None
    parameters = {"handle": handle.lower(), "viewer_id": viewer_id}
    profile = await reads.one(Profile, PROFILE, parameters)
    if profile is None:
        raise AccountNotFound("There is no such account.")
    return profile


@put("/accounts/{account_id:uuid}/scopes", opt={"scope": Scope.ADMIN})
async def change_scopes(
    account_id: FromPath[UUID],
    data: JSONBody[Scopes],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> Scopes:
    """Change what an account's tokens may be used for."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(accounts.change_scopes, account_id, data.scopes, by=by, at=at)
    return data


@get("/me", opt={"scope": Scope.VIEWER})
async def read_me(
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> Response[Me]:
    """Read your own account; its ETag is what a later edit shows as If-Match."""
    return await front.command(_me, accounts, principal.account_id)


@patch("/me", opt={"scope": Scope.VIEWER})
async def edit_profile(
    data: JSONBody[ProfileEdit],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[Me]:
    """Change how others see you."""
    edits = msgspec.structs.asdict(data)
    await front.command(
        accounts.change_profile,
        principal.account_id,
        {name: value for name, value in edits.items() if value is not msgspec.UNSET},
        precondition=lambda version: require_match(if_match, version),
        at=datetime.now(UTC),
    )
    return await front.command(_me, accounts, principal.account_id)


@put(
    "/me/password",
    opt={"scope": Scope.VIEWER, "limit": "credentials"},
    status_code=204,
)
async def change_password(
    data: JSONBody[PasswordEdit],
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> None:
    """Choose another password. Every session ends, this one too."""
    of, at = principal.account_id, datetime.now(UTC)
    await front.command(accounts.change_password, of, old=data.old, new=data.new, at=at)


def _me(accounts: Accounts, account_id: UUID) -> Response[Me]:
    account = accounts.account(account_id)
    me = Me(
        account_id=account.id,
        handle=account.handle,
        display_name=account.display_name,
        bio=account.bio,
        avatar_upload_id=account.avatar_upload_id,
        age_band=account.age_band,
        scopes=account.scopes,
        invitations_left=account.invitations_left,
    )
    return Response(me, headers={"ETag": etag(account.version)})


router = Router(
    "/v1",
    route_handlers=[sign_up, read_profile, change_scopes, read_me, edit_profile, change_password],
    tags=["Accounts"],
)
