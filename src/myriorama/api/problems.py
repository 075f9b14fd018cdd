"""Every error as an RFC 9457 problem document. The domain knows no status codes; this does."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from domain.errors import (
    Conflict,
    DomainError,
    Exhausted,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
)
from myriorama.store.recorder import CommandRepeated

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Exhausted: 429,
}

_CODES = {
    400: "invalid_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    412: "precondition_failed",
    413: "body_too_large",
    415: "media_type_unsupported",
    429: "too_many_requests",
    503: "unavailable",
}


class Violation(msgspec.Struct, frozen=True):
    """What is wrong with one part of the request."""

    where: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An RFC 9457 problem document. Match on `code`, which is stable; `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None = None
    errors: tuple[Violation, ...] = ()


class PreconditionFailed(DomainError):
    """What was read has been changed since: the ETag does not match."""


def domain_problem(request: Request[Any, Any, Any], error: DomainError) -> Response[Problem]:
    """Tell the client which rule refused, and in which class of refusals that falls."""
    if isinstance(error, PreconditionFailed):
        return answer(request, 412, "precondition_failed", str(error))
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {"Retry-After": str(error.reset_s)} if isinstance(error, Exhausted) else {}
    if status == STATUS[Unauthenticated]:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(request, status, error.code, str(error), headers=headers)


def http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """Tell the client what of HTTP, or of the request's shape, was not right."""
    status = error.status_code
    violations = _violations(error) if isinstance(error, ValidationException) else ()
    code = _CODES.get(status, "http_error")
    return answer(
        request, status, code, error.detail, errors=violations, headers=dict(error.headers or {})
    )


def repeated_problem(request: Request[Any, Any, Any], _: CommandRepeated) -> Response[Problem]:
    """Tell the client that the command was applied the first time, though its answer was lost."""
    detail = "A request with this Idempotency-Key was applied before; its answer was lost."
    return answer(request, 409, "already_applied", f"{detail} Read the resource.")


def unavailable_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Tell the client to come back: PostgreSQL is not there at the moment."""
    logger.warning("store unavailable", error=str(error))
    detail = "The store is not reachable at the moment; nothing is known to have been recorded."
    return answer(request, 503, "store_unavailable", detail, headers={"Retry-After": "1"})


def unknown_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Tell the client nothing but that it is our fault; the log has the rest."""
    logger.error("unhandled error", path=request.url.path, exc_info=error)
    detail = "Something went wrong on our side. Quote the request id when you report it."
    return answer(request, 500, "internal_error", detail)


def answer(  # noqa: PLR0913 - the parts of a problem document
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    detail: str,
    *,
    errors: tuple[Violation, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[Problem]:
    """Return a problem document as a response."""
    problem = Problem(
        type=f"/problems#{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        request_id=request.scope["state"].get("request_id"),
        errors=errors,
    )
    return Response(problem, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _violations(error: ValidationException) -> tuple[Violation, ...]:
    extra = cast("list[dict[str, Any]]", error.extra) if isinstance(error.extra, list) else []
    return tuple(
        Violation(where=str(item.get("key", "")), detail=str(item.get("message", "")))
        for item in extra
    )


HANDLERS: Mapping[int | type[Exception], Any] = {
    DomainError: domain_problem,
    HTTPException: http_problem,
    CommandRepeated: repeated_problem,
    OperationalError: unavailable_problem,
    PoolTimeout: unavailable_problem,
    Exception: unknown_problem,
}
