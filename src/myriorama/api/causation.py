"""What every command carries to the log, and the wait until its effect can be read."""

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from litestar.enums import ScopeType
from litestar.exceptions import ValidationException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.api.problems import PositionNotReached
from myriorama.api.tokens import Principal
from myriorama.store.causation import Cause, Key, cause
from myriorama.store.projected import Projected

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WAIT_S = 1.0
_POSITION = re.compile(r"[0-9]{1,18}")

_HEAD = "SELECT coalesce(max(position), 0) FROM events"


class Causation(ASGIMiddleware):
    """Notes who commands, and answers only when the read side shows what was recorded.

    So a client that reads after it wrote finds what it wrote. If the projections are late the
    answer is sent all the same, since the write is safe; `Myriorama-Position` tells where it is.
    Who shows that position as `after` when reading gets an answer that knows the write, or none.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(
        self,
        projected: Projected,
        names: Sequence[str],
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        *,
        also_shown_by: Sequence[str] = (),
    ) -> None:
        """Take the projections, by name, that an answer waits for.

        `also_shown_by` is what this process keeps of the log beside them: who wrote waits for it,
        who only reads does not.
        """
        self._projected = projected
        self._names = tuple(names)
        self._shown_by = (*names, *also_shown_by)
        self._pool = pool

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] in _SAFE:
            if b"after" in scope["query_string"]:
                await self._read_after(scope["query_string"].decode("latin-1"))
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

    async def _read_after(self, query: str) -> None:
        """Wait until the read side has come to the position that `after` names, if it names one."""
        given = [
            value for name, value in parse_qsl(query, keep_blank_values=True) if name == "after"
        ]
        if not given:
            return
        if len(given) > 1 or not _POSITION.fullmatch(given[0]):
            raise _refused("It is one position, as `Myriorama-Position` tells it.")
        position = int(given[0])
        if self._projected.has_reached(position, self._names):
            return
        if position > await self._head():
            raise _refused("No write has been answered with this position.")
        if not await self._projected.reached(position, self._names, timeout_s=_WAIT_S):
            raise PositionNotReached

    async def _head(self) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_HEAD)).fetchone()
        return row[0] if row else 0

    async def _visible(self, position: int) -> None:
        # One that stands still, with an alarm, makes no writer wait.
        names = self._projected.going(self._shown_by)
        await asyncio.shield(self._projected.reached(position, names, timeout_s=_WAIT_S))


def _refused(why: str) -> ValidationException:
    return ValidationException(
        "`after` is not a position.", extra=[{"key": "after", "message": why}]
    )
