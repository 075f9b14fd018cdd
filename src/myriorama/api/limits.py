"""How many requests anybody may make in a minute, and the headers that tell them.

The generic cell rate algorithm: one number a client, in the memory of one process. Several
processes count by themselves, so that a client may be allowed as many times over.
"""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import Literal, NamedTuple

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from domain.errors import Exhausted
from myriorama.api.tokens import WORKER, Principal

Budget = Literal["requests", "credentials", "none"]
"""What a route counts against: its `opt={"limit": …}`, "requests" where it says nothing."""

_WINDOW_S = 60.0
_CLIENTS_MAX = 100_000


class TooManyRequests(Exhausted):
    """There were too many requests from here in the last minute."""


class Quota(NamedTuple):
    """What is left: `remaining` requests at once; all of them again in `reset_s`."""

    allowed: bool
    remaining: int
    reset_s: int
    retry_s: int


class Meter:
    """Counts the requests of each client against one limit.

    Nothing is kept of who has not come for a window. Where more than `clients_max` come in a
    window, those who came longest ago are forgotten, which favours them.
    """

    def __init__(self, per_minute: int, *, clients_max: int = _CLIENTS_MAX) -> None:
        self.per_minute = per_minute
        self._interval_s = _WINDOW_S / per_minute
        self._clients_max = clients_max
        self._fresh: dict[object, float] = {}
        self._stale: dict[object, float] = {}
        self._turns_at = 0.0

    @property
    def clients(self) -> int:
        """How many clients are remembered."""
        return len(self._fresh) + len(self._stale)

    def take(self, client: object, now: float) -> Quota:
        """Count a request at `now`, in seconds of any clock that only goes forwards."""
        if now >= self._turns_at or len(self._fresh) >= self._clients_max:
            self._turn(now)
        due = self._fresh.get(client) or self._stale.get(client, now)
        due = max(due, now) + self._interval_s
        over_s = due - now - _WINDOW_S
        if over_s > _ROUNDING_S:
            used_s = due - self._interval_s - now
            return Quota(
                allowed=False, remaining=0, reset_s=_whole(used_s), retry_s=max(1, _whole(over_s))
            )
        self._fresh[client] = due
        remaining = int((_ROUNDING_S - over_s) / self._interval_s)
        return Quota(allowed=True, remaining=remaining, reset_s=_whole(due - now), retry_s=0)

    def _turn(self, now: float) -> None:
        """Forget who has not come since the last turn: their time is over, so they are as new."""
        self._stale = self._fresh if now < self._turns_at + _WINDOW_S else {}
        self._fresh = {}
        self._turns_at = now + _WINDOW_S


class RateLimits(ASGIMiddleware):
    """Counts each request against its account, or its address if nobody is known to ask.

    Where passwords are tried and accounts made, every request counts against its address.
    Workers are not counted. Behind `proxies` reverse proxies the address is what the outermost
    of them saw; an IPv6 address stands for its /64, which is what one customer is given.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, *, requests: int, credentials: int, proxies: int) -> None:
        self._requests = Meter(requests)
        self._credentials = Meter(credentials)
        self._proxies = proxies
        self._policies = {
            "requests": (b"ratelimit-policy", f'"requests";q={requests};w=60'.encode()),
            "credentials": (b"ratelimit-policy", f'"credentials";q={credentials};w=60'.encode()),
        }

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        budget: Budget = scope["route_handler"].opt.get("limit", "requests")
        principal: Principal | None = scope["user"]
        if budget != "none" and principal is not WORKER:
            self.count(scope, budget, principal)
        await next_app(scope, receive, send)

    def count(self, scope: Scope, budget: Budget, principal: Principal | None) -> None:
        """Count a request, and note what is left for the headers of its answer.

        Raises:
            TooManyRequests: there is nothing left, and nothing was counted.
        """
        if budget == "credentials":
            quota = self._credentials.take(client_address(scope, self._proxies), monotonic())
        else:
            client = principal.account_id if principal else client_address(scope, self._proxies)
            quota = self._requests.take(client, monotonic())
        scope["state"]["answer_headers"] += (
            self._policies[budget],
            (b"ratelimit", b'"%b";r=%d;t=%d' % (budget.encode(), quota.remaining, quota.reset_s)),
        )
        if not quota.allowed:
            raise TooManyRequests(
                f"Too many requests from here; come again in {quota.retry_s} s.",
                reset_s=quota.retry_s,
            )


def client_address(scope: Scope, proxies: int) -> str:
    """Return who sent the request, as far as the outermost of our own proxies saw."""
    client = scope["client"]
    address = client[0] if client else ""
    if proxies:
        hops = _forwarded(scope["headers"])
        address = hops[-proxies] if len(hops) >= proxies else address
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64))


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return [hop.strip() for line in lines for hop in line.split(",")]


_ROUNDING_S = 1e-6


def _whole(seconds: float) -> int:
    return int(seconds + 0.999)
