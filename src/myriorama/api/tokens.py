"""Access tokens: short-lived JWTs that name an account, its session and its scopes."""

from dataclasses import dataclass
from enum import StrEnum
from secrets import compare_digest
from uuid import UUID

import jwt

from domain.errors import Unauthenticated

ACCESS_TOKEN_S = 900
_ALGORITHM = "HS256"
_ISSUER = "myriorama"


class Scope(StrEnum):
    """What a token may be used for. A route asks for one of them, or is public."""

    PUBLIC = "public"
    VIEWER = "viewer"
    CREATOR = "creator"
    ADVERTISER = "advertiser"
    SELLER = "seller"
    ANALYST = "analyst"
    MODERATOR = "moderator"
    ADMIN = "admin"
    WORKER = "worker"


class TokenInvalid(Unauthenticated):
    """The access token is not ours, has expired, or its session has ended."""


@dataclass(frozen=True)
class Principal:
    """Who is asking. `issued_at` is in seconds since the epoch."""

    account_id: UUID
    session_id: UUID
    scopes: frozenset[str]
    issued_at: float


# A worker is no person: its account is the nil UUID, which owns nothing.
WORKER = Principal(UUID(int=0), UUID(int=0), frozenset({Scope.WORKER}), 0)


class AccessTokens:
    """Issues and reads access tokens (RFC 9068 in spirit: sub, sid, scope, iat, exp, iss)."""

    def __init__(self, *, secret: str, worker_token: str) -> None:
        self._secret = secret
        self._worker_token = worker_token.encode()

    def issue(
        self, account_id: UUID, session_id: UUID, scopes: tuple[str, ...], *, now: float
    ) -> str:
        claims = {
            "iss": _ISSUER,
            "sub": account_id.hex,
            "sid": session_id.hex,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": int(now) + ACCESS_TOKEN_S,
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> Principal:
        """Return who shows the token.

        Raises:
            TokenInvalid: it is not ours, or has expired.
        """
        if compare_digest(token.encode(), self._worker_token):
            return WORKER
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["sub", "sid", "exp", "iat"]},
            )
            return Principal(
                UUID(hex=claims["sub"]),
                UUID(hex=claims["sid"]),
                frozenset(claims["scope"].split()),
                claims["iat"],
            )
        except (jwt.InvalidTokenError, KeyError, ValueError) as error:
            raise TokenInvalid("The access token is not valid; sign in or refresh it.") from error
