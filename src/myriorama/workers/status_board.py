"""What the terminal shows of the running programs: a live table, or plain lines where none fits."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

_STYLES = {"ready": "green", "done": "green", "restarting": "red", "stopped": "dim"}
_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Status:
    """One program at one moment."""

    name: str
    state: str
    pid: int | None
    uptime_s: float | None
    last_line: str


class Board(Protocol):
    """Where the supervisor tells how it goes; a context, for a terminal must be given back."""

    def say(self, line: str) -> None:
        """Add a line that stays."""
        ...

    def show(self, statuses: Iterable[Status]) -> None:
        """Replace the picture of the programs."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def board_for(console: Console) -> Board:
    """A live table on a terminal; plain lines into a file or a pipe."""
    return LiveBoard(console) if console.is_terminal else PlainBoard(console)


def last_line(log: Path) -> str:
    """The last line of a log that says something, without what could steer a terminal."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    said = (line.strip() for line in reversed(lines))
    line = next((line for line in said if any(map(str.isalnum, line))), "")
    return "".join(character for character in line if character.isprintable())


class LiveBoard:
    """A table that is drawn over, without a thread of its own."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(
            console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def say(self, line: str) -> None:
        self._console.print(Text(line))

    def show(self, statuses: Iterable[Status]) -> None:
        table = Table(box=None, pad_edge=False)
        for heading in ("program", "state", "pid", "up"):
            table.add_column(heading, no_wrap=True)
        table.add_column("last line of its log", no_wrap=True, overflow="ellipsis", ratio=1)
        for status in statuses:
            table.add_row(
                status.name,
                Text(status.state, style=_STYLES.get(status.state, "yellow")),
                "" if status.pid is None else str(status.pid),
                "" if status.uptime_s is None else _duration(status.uptime_s),
                Text(status.last_line, style="dim"),
            )
        self._live.update(table, refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()


class PlainBoard:
    """A line for each change of state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, tuple[str, int | None]] = {}

    def say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def show(self, statuses: Iterable[Status]) -> None:
        for status in statuses:
            change = (status.state, status.pid)
            if self._told.get(status.name) != change:
                self._told[status.name] = change
                self.say(f"{status.name}: {status.state}" + _of_pid(status.pid))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


def _of_pid(pid: int | None) -> str:
    return "" if pid is None else f" (pid {pid})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
