"""A worker that cannot work says so at once, and what to set."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from myriorama.cli import app


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"RENDERER": "ltx2"}, "MYRIORAMA_MODEL"),
        ({"RENDERER": "ltx2", "MODEL": "/nowhere"}, "MYRIORAMA_MODEL"),
        ({"C2PA_KEY": "/nowhere/key.pem"}, "MYRIORAMA_C2PA_CERTIFICATES"),
        ({"POLICY": "/nowhere/policy.toml"}, "MYRIORAMA_POLICY"),
    ],
)
def test_a_worker_without_what_it_needs_ends_with_2_and_says_what_to_set(
    tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    given = {
        "KAFKA": "127.0.0.1:1",
        "OBJECTS": str(tmp_path / "objects"),
        "WORKER_TOKEN": "a worker token of the tests, 32 bytes",
        "HOME": str(tmp_path / "home"),
        **settings,
    }
    environment = {f"MYRIORAMA_{name}": value for name, value in given.items()}

    ended = CliRunner().invoke(app, ["work"], env=environment)

    assert ended.exit_code == 2, ended.output
    assert told in ended.output
