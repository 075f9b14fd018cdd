"""Every error as an RFC 9457 problem document. The domain knows no status codes; this does."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from psycopg import DataError, InterfaceError, InternalError, OperationalError
from psycopg.errors import ReadOnlySqlTransaction

from domain.errors import (
    Conflict,
    DomainError,
    Exhausted,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
)
from myriorama.store.full_disk import is_full, raise_alarm
from myriorama.store.mapper import SchemaFromFuture
from myriorama.store.recorder import CommandRepeated

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class PreconditionFailed(DomainError):
    """What was read has been changed since: the ETag does not match."""


STATUS: Mapping[type[DomainError], int] = {
    PreconditionFailed: 412,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Exhausted: 429,
}

HTTP_CODES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is not as the route declares it; `errors` says where."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "What is at this path takes other methods: those in `Allow`."),
    413: ("body_too_large", "The body has more bytes than the route reads."),
    415: ("content_type_unsupported", "The body is of a media type that the route does not read."),
}

OUR_CODES: Mapping[str, tuple[int, str]] = {
    "already_applied": (
        409,
        "A command with this Idempotency-Key was applied, and its answer was lost.",
    ),
    "internal_error": (500, "The fault is ours. Quote the `request_id` when you report it."),
    "position_not_reached": (
        503,
        "What is shown has not come to the position in `after` yet; ask again, or without it.",
    ),
    "range_not_satisfiable": (416, "The file ends before the range that was asked for."),
    "store_unavailable": (
        503,
        "The store is not reachable at the moment; send the same again, with its Idempotency-Key.",
    ),
    "value_not_storable": (422, "A value is out of the range of what can be stored."),
}


class PositionNotReached(Exception):
    """The read side has not come to the position from which on somebody wants to read."""


class Violation(msgspec.Struct, frozen=True):
    """What is wrong with one part of the request: a JSON pointer, or the name of a parameter."""

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


def domain_problem(request: Request[Any, Any, Any], error: DomainError) -> Response[Problem]:
    """Tell the client which rule refused, and in which class of refusals that falls."""
    status = status_of(type(error))
    reset_s: int | None = getattr(error, "reset_s", None)
    headers = {} if reset_s is None else {"Retry-After": str(max(1, reset_s))}
    if status == STATUS[Unauthenticated]:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(request, status, error.code, str(error), headers=headers)


def status_of(refusal: type[DomainError]) -> int:
    """Return the status of the class of refusals that one falls in."""
    return next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS)


def http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """Tell the client what of HTTP, or of the request's shape, was not right."""
    status = 400 if error.detail == _LEFT else error.status_code
    if status not in HTTP_CODES:
        return unknown_problem(request, error)
    code, meaning = HTTP_CODES[status]
    violations = _violations(error) if isinstance(error, ValidationException) else ()
    own_words = error.detail != HTTPStatus(status).phrase and not violations
    detail = error.detail if own_words else meaning
    headers = {name.title(): value for name, value in (error.headers or {}).items()}
    return answer(request, status, code, detail, errors=violations, headers=headers)


def own_problem(
    request: Request[Any, Any, Any], code: str, headers: Mapping[str, str] | None = None
) -> Response[Problem]:
    """Tell the client one of `OUR_CODES`."""
    status, meaning = OUR_CODES[code]
    return answer(request, status, code, meaning, headers=headers)


def repeated_problem(request: Request[Any, Any, Any], _: CommandRepeated) -> Response[Problem]:
    """Tell the client that the command was applied the first time, though its answer was lost."""
    return own_problem(request, "already_applied")


def unavailable_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Tell the client to come back: PostgreSQL is not there, or ahead of this release."""
    if is_full(error):
        raise_alarm(error)
        return own_problem(request, "store_unavailable", {"Retry-After": "30"})
    logger.warning("store unavailable", error=str(error))
    return own_problem(request, "store_unavailable", {"Retry-After": "1"})


def late_problem(request: Request[Any, Any, Any], _: PositionNotReached) -> Response[Problem]:
    """Tell the client to come back: the projections are late."""
    return own_problem(request, "position_not_reached", {"Retry-After": "1"})


def internal_problem(request: Request[Any, Any, Any], error: InternalError) -> Response[Problem]:
    """Tell the client to come back if a quota of the disk, or a failover, is what it met."""
    passes = is_full(error) or isinstance(error, ReadOnlySqlTransaction)
    answered = unavailable_problem if passes else unknown_problem
    return answered(request, error)


def unstorable_problem(request: Request[Any, Any, Any], error: DataError) -> Response[Problem]:
    """Tell the client that PostgreSQL has no room for a value that no route should let pass."""
    logger.warning("value not storable", path=request.url.path, error=str(error))
    return own_problem(request, "value_not_storable")


def unknown_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Tell the client nothing but that it is our fault; the log has the rest."""
    logger.error("unhandled error", path=request.url.path, exc_info=error)
    return own_problem(request, "internal_error")


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
    state = request.scope["state"]
    state["problem"] = code
    problem = Problem(
        type=f"/problems#{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        request_id=state.get("request_id"),
        errors=errors,
    )
    return Response(problem, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _violations(error: ValidationException) -> tuple[Violation, ...]:
    extra = cast("list[dict[str, Any]]", error.extra) if isinstance(error.extra, list) else []
    return tuple(
        Violation(where=str(item.get("key", "")), detail=str(item.get("message", "")))
        for item in extra
    )


_LEFT = "client disconnected prematurely"

HANDLERS: Mapping[int | type[Exception], Any] = {
    DomainError: domain_problem,
    HTTPException: http_problem,
    CommandRepeated: repeated_problem,
    DataError: unstorable_problem,
    InterfaceError: unavailable_problem,
    InternalError: internal_problem,
    OperationalError: unavailable_problem,
    PositionNotReached: late_problem,
    SchemaFromFuture: unavailable_problem,
    Exception: unknown_problem,
}
