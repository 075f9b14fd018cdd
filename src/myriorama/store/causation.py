"""Who and what caused the present command, carried beside it from the request to the log."""

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass
class Cause:
    """What the log notes of a command; `position` is where its last event was recorded."""

    actor_id: UUID | None = None
    request_id: str | None = None
    command_id: UUID | None = None
    traceparent: str | None = None
    position: int | None = None


cause: ContextVar[Cause | None] = ContextVar("cause", default=None)


def present_cause() -> Cause:
    """Return the cause of the present command, or an empty one."""
    return cause.get() or Cause()
