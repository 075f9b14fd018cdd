"""What the terminal shows of the running programs."""

import io
from pathlib import Path

from rich.console import Console

from myriorama.workers.status_board import Status, board_for, last_line

READY = Status("api", "ready", 42, 75.0, "listening")


def test_on_a_terminal_each_program_has_its_line() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=20)

    with board_for(console) as board:
        board.show([READY])

    shown = _written(console)
    assert all(word in shown for word in ("api", "ready", "42", "1:15", "listening"))


def test_without_a_terminal_each_change_is_one_line() -> None:
    console = Console(file=io.StringIO(), width=100)

    with board_for(console) as board:
        board.show([READY])
        board.show([READY])
        board.show([Status("api", "stopped", None, None, "")])

    assert _written(console) == "api: ready (pid 42)\napi: stopped\n"


def test_a_log_line_cannot_steer_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"first\nprompt \x1b]0;owned\x07[bold]\xff\n\n")

    line = last_line(log)

    assert line == "prompt ]0;owned[bold]\N{REPLACEMENT CHARACTER}"


def test_a_program_that_has_said_nothing_has_no_last_line(tmp_path: Path) -> None:
    assert last_line(tmp_path / "missing.log") == ""


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
