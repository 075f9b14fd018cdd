"""Who is asking, and whether they may: the one place where tokens and scopes are checked."""

from time import time
from typing import Any

from litestar import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from domain.errors import Forbidden, Unauthenticated
from myriorama.api.revocations import Revocations
from myriorama.api.tokens import (
    ACCESS_TOKEN_S,
    WORKER,
    AccessTokens,
    Principal,
    TokenInvalid,
)
from myriorama.api.tokens import Scope as TokenScope
from myriorama.api.wellformed import refuse_unstorable

_KNOWN_MAX = 50_000
# Several times what a token of ours takes. There are many spellings of one token (spaces before it,
# padding behind it), each of which would be remembered.
_SHOWN_BYTES_MAX = 1024


class TokenMissing(Unauthenticated):
    """This needs an access token, in the header `Authorization: Bearer <token>`."""


class ScopeMissing(Forbidden):
    """The access token does not have the scope that this needs."""


class Authentication(ASGIMiddleware):
    """Puts the `Principal`, or None, into `scope["user"]`, and holds the route's scope against it.

    Every route declares `opt={"scope": Scope.…}`; a route that does not is a defect, and closed.
    A token that is not valid is an error on public routes too: its sender believes to be known.
    """

    scopes = (ScopeType.HTTP, ScopeType.ASGI)

    def __init__(self, tokens: AccessTokens, revocations: Revocations) -> None:
        self._tokens = tokens
        self._revocations = revocations
        self._known: dict[bytes, Principal] = {}

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        refuse_unstorable(scope)
        principal = self.principal(scope)
        scope["user"] = principal
        scope["auth"] = None
        needed: TokenScope | None = scope["route_handler"].opt.get("scope")
        asked_for_methods = scope["type"] == ScopeType.HTTP and scope["method"] == "OPTIONS"
        if needed != TokenScope.PUBLIC and not asked_for_methods:
            if principal is None:
                raise TokenMissing("Send `Authorization: Bearer <access token>`; sign in first.")
            if needed is None or needed not in principal.scopes:
                raise ScopeMissing(f"This needs the scope {needed}.")
        await next_app(scope, receive, send)

    def principal(self, scope: Scope) -> Principal | None:
        """Return who shows a token, or None. Raises TokenInvalid if it is not one."""
        for name, shown in scope["headers"]:
            if name == b"authorization":
                return self._shown(shown)
        return None

    def _shown(self, shown: bytes) -> Principal:
        principal = self._known.get(shown)
        if principal is None or principal.issued_at + ACCESS_TOKEN_S <= time():
            principal = self._read(shown)
        if self._revocations.revoked(principal):
            raise TokenInvalid("The session of this access token has ended; sign in again.")
        return principal

    def _read(self, shown: bytes) -> Principal:
        """Verify what is shown, and remember whom it names: the same token comes many times."""
        kind, _, token = shown.decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise TokenInvalid("Authorization must read `Bearer <access token>`.")
        principal = self._tokens.read(token.strip())
        if principal is not WORKER:
            if len(shown) > _SHOWN_BYTES_MAX:
                raise TokenInvalid("The access token is longer than any of ours.")
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[shown] = principal
        return principal


def provide_principal(request: Request[Principal, None, Any]) -> Principal:
    """Return who asks, on a route that is not public."""
    return request.user


def provide_visitor(request: Request[Principal | None, None, Any]) -> Principal | None:
    """Return who asks, or None, on a public route."""
    return request.user
