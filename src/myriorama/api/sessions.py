"""Routes of signing in, staying signed in and signing out."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from myriorama.api.tokens import ACCESS_TOKEN_S, AccessTokens, Principal, Scope
from myriorama.application.accounts import Accounts, SignedIn
from myriorama.store.causation import present_cause
from myriorama.store.front import Front

Password = Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["correct horse"])]


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handle or an e-mail address, and the password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=254, examples=["alice"])]
    password: Password


class RefreshToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token, which is spent by being shown."""

    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Tokens(msgspec.Struct, frozen=True):
    """What a client keeps: the access token for every request, the refresh token for the next."""

    account_id: UUID
    access_token: str
    token_type: str
    expires_in_s: int
    refresh_token: str
    scopes: tuple[str, ...]


def tokens_of(signed_in: SignedIn, tokens: AccessTokens, *, at: datetime) -> Tokens:
    """Return the tokens of a session that has just been opened or refreshed.

    Whoever asks again is given no longer than the first time: all may have been revoked since.
    """
    decided_at = present_cause().decided_at(at)
    return Tokens(
        account_id=signed_in.account_id,
        access_token=tokens.issue(
            signed_in.account_id, signed_in.session_id, signed_in.scopes, now=decided_at.timestamp()
        ),
        token_type="Bearer",  # noqa: S106 - the name of a scheme, not a secret
        expires_in_s=max(0, ACCESS_TOKEN_S - int((at - decided_at).total_seconds())),
        refresh_token=signed_in.refresh_token,
        scopes=signed_in.scopes,
    )


@post("/", opt={"scope": Scope.PUBLIC, "limit": "credentials"})
async def sign_in(
    data: JSONBody[Credentials],
    accounts: NamedDependency[Accounts],
    tokens: NamedDependency[AccessTokens],
    front: NamedDependency[Front],
) -> Tokens:
    """Sign in with a handle or an e-mail address, and the password."""
    at = datetime.now(UTC)
    signed_in = await front.command(accounts.sign_in, name=data.name, password=data.password, at=at)
    return tokens_of(signed_in, tokens, at=at)


@post(
    "/refresh",
    opt={"scope": Scope.PUBLIC, "limit": "credentials"},
    status_code=200,
)
async def refresh(
    data: JSONBody[RefreshToken],
    accounts: NamedDependency[Accounts],
    tokens: NamedDependency[AccessTokens],
    front: NamedDependency[Front],
) -> Tokens:
    """Spend the refresh token for new tokens. A token that is shown twice ends its session."""
    at = datetime.now(UTC)
    signed_in = await front.command(accounts.refresh, data.refresh_token, at=at)
    return tokens_of(signed_in, tokens, at=at)


@delete("/current", opt={"scope": Scope.VIEWER})
async def sign_out(
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> None:
    """End this session."""
    await front.command(accounts.sign_out, principal.session_id, at=datetime.now(UTC))


@delete("/", opt={"scope": Scope.VIEWER})
async def sign_out_everywhere(
    principal: NamedDependency[Principal],
    accounts: NamedDependency[Accounts],
    front: NamedDependency[Front],
) -> None:
    """End every session of the account, this one too."""
    await front.command(accounts.sign_out_everywhere, principal.account_id, at=datetime.now(UTC))


router = Router(
    "/v1/sessions",
    route_handlers=[sign_in, refresh, sign_out, sign_out_everywhere],
    tags=["Accounts"],
)
