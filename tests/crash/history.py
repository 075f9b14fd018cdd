"""Histories: what each client attempted and what it was told, as lines of a file of its own.

A line is in the file before the attempt is made, and before an answer is believed: whoever is
killed leaves a true history, of which at most the last line is torn.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec

L = TypeVar("L")
_LINE_BYTES_MAX = 4096


class Fact(msgspec.Struct, frozen=True, tag_field="what"):
    """One line; `at` is in nanoseconds of the monotonic clock, which all clients share."""

    at: int


class Attempted(Fact, frozen=True, tag="attempted"):
    """A command was sent. `events` are (aggregate, version); `expect` is its read set."""

    attempt: str
    events: tuple[tuple[UUID, int], ...]
    expect: dict[UUID, int]
    command_id: UUID | None = None


class Acknowledged(Fact, frozen=True, tag="acknowledged"):
    """The command was said to be recorded at these positions."""

    attempt: str
    positions: tuple[int, ...]


class Refused(Fact, frozen=True, tag="refused"):
    """The command was said to be recorded not at all: another was first."""

    attempt: str


class Repeated(Fact, frozen=True, tag="repeated"):
    """The command was said to have been recorded before, at these positions."""

    attempt: str
    positions: tuple[int, ...]


class Unanswered(Fact, frozen=True, tag="unanswered"):
    """Nobody knows whether the command, or the batch, was recorded."""

    attempt: str
    error: str


class HeadRead(Fact, frozen=True, tag="head"):
    """A reader who began at `began` saw that the log ends at `head`."""

    log: Literal["domain", "views"]
    began: int
    head: int


class SliceRead(Fact, frozen=True, tag="slice"):
    """A reader saw just these events behind `after` up to `upto`, which it had seen as the head."""

    after: int
    upto: int
    events: tuple[tuple[int, UUID, int], ...]


class Subscribed(Fact, frozen=True, tag="subscribed"):
    """A subscription began behind `after`; no topics: all of them."""

    subscription: str
    after: int
    topics: tuple[str, ...] = ()


class Delivered(Fact, frozen=True, tag="delivered"):
    """A subscription delivered an event."""

    subscription: str
    position: int
    originator_id: UUID
    version: int


class BatchSent(Fact, frozen=True, tag="batch"):
    """A batch of views was sent; each view in it has a decision of its own."""

    attempt: str
    viewer_id: UUID
    session_id: UUID
    sequence: int
    digest: str
    decisions: tuple[UUID, ...]


class Receipted(Fact, frozen=True, tag="receipted"):
    """The batch was said to be stored: now, or (`duplicate`) before."""

    attempt: str
    accepted: int
    duplicate: bool


class BatchRefused(Fact, frozen=True, tag="batch_refused"):
    """The number was said to belong to another batch of the session."""

    attempt: str


class Consumed(Fact, frozen=True, tag="consumed"):
    """A consumer of committed records got these positions of a log in one record.

    `broker` counts the brokers, each of which began empty.
    """

    broker: int
    topic: str
    partition: int
    positions: tuple[int, ...]


Line = (
    Attempted
    | Acknowledged
    | Refused
    | Repeated
    | Unanswered
    | HeadRead
    | SliceRead
    | Subscribed
    | Delivered
    | BatchSent
    | Receipted
    | BatchRefused
    | Consumed
)


class History(NamedTuple):
    """What one client wrote down, in its order."""

    client: str
    lines: Sequence[Line]


class Diary:
    """Writes one client's history. Used by one thread alone."""

    def __init__(self, folder: Path, client: str) -> None:
        path = folder / f"{client}.history"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        self._encoder = msgspec.json.Encoder()
        self._client = client
        self._attempts = 0

    def next_attempt(self) -> str:
        """Return a name that no other attempt of any client has."""
        self._attempts += 1
        return f"{self._client}:{self._attempts}"

    def note(self, line: Line) -> None:
        """Write a line down. It outlives this process, not the machine."""
        os.write(self._file, self._encoder.encode(line) + b"\n")

    def close(self) -> None:
        os.close(self._file)


def now() -> int:
    """Return the time as histories tell it."""
    return time.monotonic_ns()


def read_histories(folder: Path, clients: str = "*") -> list[History]:
    """Return the histories of a folder. A torn last line is what its writer did not finish."""
    decode: Callable[[bytes], Line] = msgspec.json.Decoder(Line).decode
    return [
        History(path.stem, [decode(line) for line in _whole_lines(path)])
        for path in sorted(folder.glob(f"{clients}.history"))
    ]


def last_line(path: Path) -> Line | None:
    """Return the last whole line of a history that may be as long as it likes."""
    skipped = max(0, path.stat().st_size - _LINE_BYTES_MAX)
    with path.open("rb") as file:
        file.seek(skipped)
        lines = file.readlines()[1 if skipped else 0 :]  # the first began before
    whole = [line for line in lines if line.endswith(b"\n")]
    return msgspec.json.decode(whole[-1], type=Line) if whole else None


def every(histories: Iterable[History], kind: type[L]) -> Iterator[L]:
    """Yield the lines of one kind out of all histories."""
    for history in histories:
        for line in history.lines:
            if isinstance(line, kind):
                yield line


def _whole_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line
