"""What is true of every exchange of request and answer, whichever route: its id, its signals.

Outermost of all: it also sees what no route answers. What is inside notes headers for the answer
in `state["answer_headers"]` and, of a refusal, its code in `state["problem"]`.
"""

import re
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.trace import Span, Status, StatusCode
from uuid_utils import uuid4

from myriorama.api.request_log import RequestLog
from myriorama.telemetry import LATENCY, REQUESTS, Tracing, passed_on, traceparent_of

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

# Pages of ours run what we serve and nothing else; a video may also play from memory.
# What software answers, and which version, is nobody's business: `server` would tell.
SECURITY_HEADERS = (
    (b"server", b"myriorama"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (
        b"content-security-policy",
        (
            b"default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; "
            b"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
        ),
    ),
)

# What scripts of other sites may read beside the body.
EXPOSED_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Myriorama-Position",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
]

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_UNSEEN = frozenset({"/health", "/metrics"})
_NO_ROUTE = "none"
# A client may make up methods; each would be counted by itself, for as long as the process runs.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OTHER_METHOD = "other"
_FAULT = 500


class Exchange:
    """Wraps the whole application. Costs little: it is paid by every request."""

    def __init__(self, app: ASGIApp, log: RequestLog, tracing: Tracing | None) -> None:
        self._app = app
        self._log = log
        self._tracing = tracing
        self._requests: dict[tuple[str, str, int], Counter] = {}
        self._latencies: dict[tuple[str, str], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        request_id, client_trace = _identity(scope["headers"])
        state = scope["state"]
        state["request_id"] = request_id
        request = cast("dict[str, Any]", scope)
        span = self._tracing.answering("request", client_trace) if self._tracing else None
        trace = traceparent_of(span) if span else client_trace
        state["traceparent"] = trace
        answer_headers: list[tuple[bytes, bytes]] = []
        state["answer_headers"] = answer_headers
        status, answered = 0, began

        async def send_noted(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
                message["headers"] = [
                    *message["headers"],
                    *SECURITY_HEADERS,
                    (b"x-request-id", request_id.encode()),
                    *answer_headers,
                ]
            await send(message)

        marks = {"request_id": request_id, **({"trace": trace} if trace else {})}
        tokens = structlog.contextvars.bind_contextvars(**marks)
        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._note(request, status, answered - began, perf_counter() - began)
            structlog.contextvars.reset_contextvars(**tokens)
            if span:
                _end(span, request, status)

    def _note(
        self, request: dict[str, Any], status: int, first_byte_s: float, whole_s: float
    ) -> None:
        method = request["method"] if request["method"] in _METHODS else _OTHER_METHOD
        route = request.get("path_template", _NO_ROUTE)
        self._counter(method, route, status).inc()
        self._histogram(method, route).observe(first_byte_s)
        if route in _UNSEEN:
            return
        user, state = request.get("user"), request["state"]
        self._log.tell(
            method=method,
            path=request["path"],
            route=route,
            status=status,
            seconds=whole_s,
            account_id=user.account_id if user else None,
            problem=state.get("problem"),
            request_id=state["request_id"],
            trace=state["traceparent"],
        )

    def _counter(self, method: str, route: str, status: int) -> "Counter":
        key = (method, route, status)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = REQUESTS.labels(method, route, str(status))
        return found

    def _histogram(self, method: str, route: str) -> "Histogram":
        key = (method, route)
        found = self._latencies.get(key)
        if found is None:
            found = self._latencies[key] = LATENCY.labels(method, route)
        return found


def _identity(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, str | None]:
    request_id, trace = None, None
    for name, value in headers:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            request_id = value.decode()
        elif name == b"traceparent":
            trace = passed_on(value.decode("latin-1"))
    return request_id or uuid4().hex, trace


def _end(span: Span, request: dict[str, Any], status: int) -> None:
    route = request.get("path_template", _NO_ROUTE)
    span.update_name(f"{request['method']} {route}")
    span.set_attributes(
        {
            "http.request.method": request["method"],
            "http.route": route,
            "http.response.status_code": status,
            "url.path": request["path"],
        }
    )
    if status >= _FAULT or not status:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
