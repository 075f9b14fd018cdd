"""The request log: a line for each request, in the log of its process.

The lines are those of any other, but made at once, since a server writes some thousands a second:
on the way that all lines go, each costs a tenth of a page of the feed.
"""

import asyncio
import sys
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import structlog

_WAIT_S = 0.05
# What is written at once to a pipe that several processes share must be no more than this, else
# lines of one stand in the midst of another's.
_TOGETHER_BYTES = 4096
# Of a path; the server takes some that are thousands of times as long, from anybody.
_PATH_CHARACTERS_MAX = 500


class Line(msgspec.Struct):
    """What is told of a request; `ms` is how long it took, to the last byte of its answer."""

    method: str
    path: str
    route: str
    status: int
    ms: float
    account_id: UUID | None
    problem: str | None
    request_id: str
    trace: str | msgspec.UnsetType
    timestamp: datetime
    event: str = "request"
    level: str = "info"


class RequestLog:
    """Gathers lines for some milliseconds, so that few are written by themselves.

    On a terminal each goes the way of all. Lives in one event loop.
    """

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._on_terminal = sys.stdout.isatty()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def tell(  # noqa: PLR0913 - all that is told
        self,
        *,
        method: str,
        path: str,
        route: str,
        status: int,
        seconds: float,
        account_id: UUID | None,
        problem: str | None,
        request_id: str,
        trace: str | None,
    ) -> None:
        """Tell of a request that has been answered now; `status` is 0 if it was not."""
        line = Line(
            method,
            _told(path),
            route,
            status,
            round(seconds * 1000, 2),
            account_id,
            problem,
            request_id,
            trace or msgspec.UNSET,
            datetime.now(UTC),
        )
        if self._on_terminal:
            fields = msgspec.to_builtins(line)
            for added in ("event", "level", "timestamp"):
                del fields[added]
            structlog.get_logger("myriorama.access").info("request", **fields)
            return
        self._add(self._encode(line))

    def flush(self) -> None:
        """Write what has been gathered."""
        lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if lines:
            sys.stdout.buffer.write(b"\n".join((*lines, b"")))
            sys.stdout.buffer.flush()

    def _add(self, line: bytes) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(_WAIT_S, self.flush)
        elif self._waiting_bytes + len(line) >= _TOGETHER_BYTES:
            self.flush()
        self._waiting.append(line)
        self._waiting_bytes += len(line) + 1


def _told(path: str) -> str:
    """Return a path as text that can be encoded, and not too long."""
    if len(path) > _PATH_CHARACTERS_MAX:
        path = path[:_PATH_CHARACTERS_MAX]
    return path if path.isascii() else path.encode(errors="replace").decode()
