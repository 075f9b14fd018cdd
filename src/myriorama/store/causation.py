"""Who and what caused the present command, carried beside it from the request to the log."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Key(NamedTuple):
    """What is known of a command that may be sent again, and that must come to the same then."""

    command_id: UUID
    claimed_at: datetime
    """When it was sent first."""
    seed: bytes
    """A secret of this command, from which it makes its IDs and its secrets."""
    is_again: bool
    """The very same was sent before, and it is not known what became of it."""


@dataclass
class Cause:
    """What the log notes of a command; `position` is where its last event was recorded.

    `applied` is where the events stand that the same command recorded when it was sent before. It
    is then decided once more on what the log was until there, to find out what was answered.
    """

    actor_id: UUID | None = None
    request_id: str | None = None
    command_id: UUID | None = None
    traceparent: str | None = None
    position: int | None = None
    key: Key | None = None
    applied: range | None = None
    drawn: int = 0
    """So many IDs and secrets were made of the key's seed."""

    def decided_at(self, now: datetime) -> datetime:
        """Return when this was decided: now, unless it has been applied before."""
        return self.key.claimed_at if self.key and self.applied else now


cause: ContextVar[Cause | None] = ContextVar("cause", default=None)


def present_cause() -> Cause:
    """Return the cause of the present command, or an empty one."""
    return cause.get() or Cause()
