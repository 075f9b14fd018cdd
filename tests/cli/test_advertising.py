"""`myriorama ads verify` says of a file that is no export what is wrong with it, and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from myriorama.cli import app


def missing(_: Path) -> None:
    """Leave nothing there."""


def folder(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    path.touch()


def cut_within_a_line(path: Path) -> None:
    path.write_bytes(b'{"type":"exp')


@pytest.mark.parametrize(
    ("make", "flaw", "advice"),
    [
        (missing, "No such file", "myriorama ads export"),
        (folder, "Is a directory", "myriorama ads export"),
        (empty, "is empty", "myriorama ads export"),
        (cut_within_a_line, "is cut off within its last line", "again"),
    ],
)
def test_a_file_that_is_no_whole_export_is_named_with_what_to_do(
    make: Callable[[Path], None], flaw: str, advice: str, tmp_path: Path
) -> None:
    export = tmp_path / "bill.jsonl"
    make(export)

    refused = CliRunner().invoke(app, ["ads", "verify", str(export)])

    assert refused.exit_code == 2
    assert str(export) in refused.output
    assert flaw in refused.output
    assert advice in refused.output
    assert "line 0" not in refused.output
