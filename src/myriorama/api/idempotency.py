"""Requests that may be sent again: `Idempotency-Key`, as in draft-ietf-httpapi-idempotency-key.

The answer to a POST with a key is kept for a day and given again to whoever sends the same request
with the same key. A process that dies in between leaves a lease that runs out; the command of the
next attempt has the identity of the first, and makes the same IDs: if it was applied, the log
tells what it told then.
"""

import hmac
import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

import msgspec
import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from domain.errors import Conflict, Invalid
from myriorama.api.limits import client_address
from myriorama.api.tokens import Principal
from myriorama.store.causation import Key

logger = structlog.get_logger(__name__)

LEASE_S = 60
KEPT_S = 86_400
KEY_CHARACTERS_MAX = 255
ANSWER_BYTES_MAX = 256 * 1024

_NAMESPACE = UUID("6f1f9f3c-6a0e-5d8e-9c59-4b4c9d2f60e1")
_VISIBLE = re.compile(f"[\\x21-\\x7e]{{1,{KEY_CHARACTERS_MAX}}}")
_NONCE_BYTES = 12
_PURGE_EVERY_S = 300.0
_FAULT = 500
# Refusals that are over when something else is: the same request may succeed a moment later.
_PASSING = frozenset({"contended"})
_TOO_MANY = 429

# A key whose lease ran out before an answer was kept, or whose day is over, is taken anew. In the
# first case it is the same command, which began when it was claimed first.
_CLAIM = """
    INSERT INTO idempotency_keys AS k (key_id, fingerprint, lease_id, leased_until, expires_at)
    VALUES (%(key)s, %(fingerprint)s, %(lease)s,
            now() + make_interval(secs => %(lease_s)s), now() + make_interval(secs => %(kept_s)s))
    ON CONFLICT (key_id) DO UPDATE
    SET (fingerprint, lease_id, leased_until, expires_at, answer, claimed_at) =
        (excluded.fingerprint, excluded.lease_id, excluded.leased_until, excluded.expires_at, NULL,
         CASE WHEN k.expires_at <= now() THEN excluded.claimed_at ELSE k.claimed_at END)
    WHERE k.expires_at <= now() OR (k.answer IS NULL AND k.leased_until <= now()
                                    AND k.fingerprint = excluded.fingerprint)
    RETURNING claimed_at, claimed_at < now()
"""

_APPLIED = "SELECT first_position, last_position FROM commands WHERE command_id = %s"

_FOUND = """
    SELECT fingerprint, answer, greatest(1, ceil(extract(epoch FROM leased_until - now()))::int)
    FROM idempotency_keys WHERE key_id = %s
"""

_KEEP = "UPDATE idempotency_keys SET answer = %s WHERE key_id = %s AND answer IS NULL"
_RELEASE = "DELETE FROM idempotency_keys WHERE key_id = %s AND lease_id = %s AND answer IS NULL"

_LEAVE = """
    UPDATE idempotency_keys SET leased_until = now()
    WHERE key_id = %s AND lease_id = %s AND answer IS NULL
"""

_PURGE = """
    DELETE FROM idempotency_keys WHERE key_id IN (
        SELECT key_id FROM idempotency_keys WHERE expires_at <= now() LIMIT 1000)
"""


class IdempotencyKeyInvalid(Invalid):
    """An Idempotency-Key has 1 to 255 visible characters of ASCII."""


class IdempotencyKeyReused(Invalid):
    """Another request was sent with this Idempotency-Key; take a new one for each command."""


class RequestInProgress(Conflict):
    """The first request with this Idempotency-Key is still being answered."""

    def __init__(self, detail: str, *, reset_s: int) -> None:
        super().__init__(detail)
        self.reset_s = reset_s


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What was answered: status, headers and body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Attempt(NamedTuple):
    """One request with a key, which holds the lease on it."""

    key_id: UUID
    lease_id: UUID
    claimed_at: datetime
    """When the key was claimed first."""
    is_again: bool
    """The same request was sent before, and what became of it is not known."""
    applied: range | None
    """Where the first attempt recorded, if it did."""


class Answers:
    """Keeps answers in PostgreSQL, sealed with a key that only the server has (AES-256-GCM).

    They may hold tokens, and the fingerprints are of requests that may hold passwords.
    """

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], secret: bytes) -> None:
        self._pool = pool
        self._seal = AESGCM(hmac.digest(secret, b"myriorama/idempotency/answers", "sha256"))
        self._mark = hmac.digest(secret, b"myriorama/idempotency/fingerprints", "sha256")
        self._root = hmac.digest(secret, b"myriorama/idempotency/seeds", "sha256")
        self._purged_at = monotonic()

    def fingerprint(self, request: bytes) -> bytes:
        """Return what tells one request from another, and nothing else of it."""
        return hmac.digest(self._mark, request, "sha256")

    async def claim(self, key_id: UUID, fingerprint: bytes) -> Attempt | Answer:
        """Take the lease on a key, or return the answer that was given before.

        Raises:
            IdempotencyKeyReused: the key came with another request.
            RequestInProgress: another attempt holds the lease.
        """
        lease_id = uuid4()
        values = {"key": key_id, "fingerprint": fingerprint, "lease": lease_id}
        async with self._pool.connection() as connection:
            await self._purge(connection)
            terms = {"lease_s": LEASE_S, "kept_s": KEPT_S}
            if claimed := await (await connection.execute(_CLAIM, values | terms)).fetchone():
                claimed_at, is_again = claimed
                applied = await self._applied(connection, key_id) if is_again else None
                return Attempt(key_id, lease_id, claimed_at, is_again, applied)
            found = await (await connection.execute(_FOUND, (key_id,))).fetchone()
        if found is None:  # released between the two statements
            return await self.claim(key_id, fingerprint)
        known, sealed, lease_s = found
        if not hmac.compare_digest(known, fingerprint):
            raise IdempotencyKeyReused("Another request was sent with this Idempotency-Key.")
        if sealed is None:
            raise RequestInProgress("The first such request is being answered.", reset_s=lease_s)
        return self._opened(key_id, sealed)

    async def keep(self, attempt: Attempt, answer: Answer) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        plain = msgspec.msgpack.encode(answer)
        sealed = nonce + self._seal.encrypt(nonce, plain, attempt.key_id.bytes)
        async with self._pool.connection() as connection:
            await connection.execute(_KEEP, (sealed, attempt.key_id))

    async def release(self, attempt: Attempt) -> None:
        """Let the next attempt begin at once, as if there had been none."""
        async with self._pool.connection() as connection:
            await connection.execute(_RELEASE, attempt[:2])

    async def leave(self, attempt: Attempt) -> None:
        """Let the next attempt go on at once where this one may have come to."""
        async with self._pool.connection() as connection:
            await connection.execute(_LEAVE, attempt[:2])

    def key(self, attempt: Attempt) -> Key:
        """Return what the command is to make its IDs of."""
        sent_at = attempt.claimed_at.astimezone(UTC).isoformat().encode()
        seed = hmac.digest(self._root, attempt.key_id.bytes + sent_at, "sha256")
        return Key(attempt.key_id, attempt.claimed_at, seed, attempt.is_again)

    def _opened(self, key_id: UUID, sealed: bytes) -> Answer:
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        plain = self._seal.decrypt(nonce, content, key_id.bytes)
        return msgspec.msgpack.decode(plain, type=Answer)

    async def _applied(
        self, connection: AsyncConnection[TupleRow], command_id: UUID
    ) -> range | None:
        found = await (await connection.execute(_APPLIED, (command_id,))).fetchone()
        return range(found[0], found[1] + 1) if found else None

    async def _purge(self, connection: AsyncConnection[TupleRow]) -> None:
        if monotonic() - self._purged_at > _PURGE_EVERY_S:
            self._purged_at = monotonic()
            await connection.execute(_PURGE)


class Idempotency(ASGIMiddleware):
    """Answers a POST with an `Idempotency-Key` once; and again, from what was kept.

    A key belongs to the account that sends it; without one, to the address and the route. It
    stands for method, path, query and body; of an upload, for the length instead of the body,
    whose boundaries differ from attempt to attempt. Not kept are faults of ours, refusals that
    pass by themselves, and answers of more than `ANSWER_BYTES_MAX`.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, answers: Answers, *, proxies: int) -> None:
        self._answers = answers
        self._proxies = proxies

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        key = None
        if scope["type"] == ScopeType.HTTP and scope["method"] == "POST":
            key = _key(scope["headers"])
        if key is None:
            await next_app(scope, receive, send)
            return
        key_id = uuid5(_NAMESPACE, f"{self._owner(scope)}\n{key}")
        body, receive_again = await _body(scope, receive)
        request = b"%b?%b\n%b" % (scope["path"].encode(), scope["query_string"], body)
        claimed = await self._answers.claim(key_id, self._answers.fingerprint(request))
        if isinstance(claimed, Answer):
            await _give(claimed, send, (b"idempotency-replayed", b"true"))
            return
        state = scope["state"]
        state["command_id"] = key_id
        # Of an upload only the length is compared: it may be another, and records more than once.
        if not _is_multipart(scope):
            state["key"], state["applied"] = self._answers.key(claimed), claimed.applied
        await next_app(scope, receive_again, self._keeping(scope, claimed, send))

    def _owner(self, scope: Scope) -> str:
        principal: Principal | None = scope["user"]
        if principal is not None:
            return str(principal.account_id)
        return f"{client_address(scope, self._proxies)} {scope['path_template']}"

    def _keeping(self, scope: Scope, attempt: Attempt, send: Send) -> Send:
        """Return a `send` that holds the answer back until it is kept."""
        status, headers, body = 0, list[tuple[bytes, bytes]](), bytearray()

        async def send_kept(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message["headers"])
            elif message["type"] == "http.response.body":
                body.extend(message["body"])
                if not message["more_body"]:
                    answer = Answer(status, headers, bytes(body))
                    await self._settle(attempt, answer, scope["state"].get("problem"))
                    await _give(answer, send)

        return send_kept

    async def _settle(self, attempt: Attempt, answer: Answer, problem: str | None) -> None:
        passing = answer.status == _TOO_MANY or problem in _PASSING
        try:
            if answer.status >= _FAULT or len(answer.body) > ANSWER_BYTES_MAX:
                await self._answers.leave(attempt)
            elif passing:
                await self._answers.release(attempt)
            else:
                await self._answers.keep(attempt, answer)
        except OperationalError as error:  # the command stands all the same, so it is answered
            logger.warning("answer not kept", error=str(error))


def _key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key; the draft has it in double quotes, many clients have it without.

    Raises:
        IdempotencyKeyInvalid: it is empty, too long, or has other characters.
    """
    value = next((value for name, value in headers if name == b"idempotency-key"), None)
    if value is None:
        return None
    key = value.decode("latin-1").strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _VISIBLE.fullmatch(key):
        raise IdempotencyKeyInvalid(str(IdempotencyKeyInvalid.__doc__))
    return key


async def _body(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """Read the body for its fingerprint. Returns what stands for it, and it, to be read again.

    Raises:
        RequestEntityTooLarge: it is longer than the route reads.
    """
    if _is_multipart(scope):
        length = dict(scope["headers"]).get(b"content-length", b"unknown length")
        return b"multipart of " + length, receive
    route = scope["route_handler"]
    bytes_max = route.resolve_request_max_body_size() if isinstance(route, HTTPRouteHandler) else 0
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientException("client disconnected prematurely")
        body.extend(message["body"])
        more = message["more_body"]
        if bytes_max is not None and len(body) > bytes_max:
            raise RequestEntityTooLarge
    whole: HTTPRequestEvent = {"type": "http.request", "body": bytes(body), "more_body": False}
    pending = [whole]

    async def receive_again() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        return pending.pop() if pending else await receive()

    return bytes(body), receive_again


def _is_multipart(scope: Scope) -> bool:
    return dict(scope["headers"]).get(b"content-type", b"").startswith(b"multipart/")


async def _give(answer: Answer, send: Send, *more: tuple[bytes, bytes]) -> None:
    headers = [*answer.headers, *more]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
