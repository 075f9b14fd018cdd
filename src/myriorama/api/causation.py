"""What every command carries to the log, and the wait until its effect can be read."""

import asyncio
from collections.abc import Sequence

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from myriorama.api.tokens import Principal
from myriorama.store.causation import Cause, Key, cause
from myriorama.store.projected import Projected

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WAIT_S = 1.0


class Causation(ASGIMiddleware):
    """Notes who commands, and answers only when the read side shows what was recorded.

    So a client that reads after it wrote finds what it wrote. If the projections are late the
    answer is sent all the same, since the write is safe; `Myriorama-Position` tells where it is.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, projected: Projected, names: Sequence[str]) -> None:
        self._projected = projected
        self._names = tuple(names)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] in _SAFE:
            await next_app(scope, receive, send)
            return
        principal: Principal | None = scope["user"]
        state = scope["state"]
        key: Key | None = state.get("key")
        present = Cause(
            actor_id=principal.account_id if principal else None,
            request_id=state.get("request_id"),
            command_id=state.get("command_id"),
            traceparent=state.get("traceparent"),
            key=key,
            applied=state.get("applied"),
        )
        token = cause.set(present)

        async def send_when_visible(message: Message) -> None:
            if message["type"] == "http.response.start" and present.position is not None:
                await self._visible(present.position)
                position = str(present.position).encode()
                message["headers"] = [*message["headers"], (b"myriorama-position", position)]
            await send(message)

        try:
            await next_app(scope, receive, send_when_visible)
        finally:
            cause.reset(token)

    async def _visible(self, position: int) -> None:
        await asyncio.shield(self._projected.reached(position, self._names, timeout_s=_WAIT_S))
