"""compose.yaml: the programs that `myriorama up` runs, each with what it needs, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # the library has no types

from myriorama.cli import app
from myriorama.workers.programs import furnish, household

ROOT = Path(__file__).parents[2]
# Doubles and demo worlds have no place beside real money.
OF_ONE_MACHINE = {"stripe-double", "seed"}
HELD = re.compile(r"\$\{(\w+)")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return {name: each for name, each in read["services"].items() if "build" in each}


def test_each_program_of_a_house_is_a_service_and_each_service_a_program(
    services: dict[str, Any], tmp_path: Path
) -> None:
    run = household({}, furnish({}, tmp_path), home=tmp_path, address="127.0.0.1:0", empty=False)

    own = {program.argv[-1] for program in run if "myriorama" in program.argv}

    commands = [each["command"] for each in services.values()]
    assert sorted(command for (command,) in commands) == sorted(own - OF_ONE_MACHINE)


def test_what_a_service_runs_is_a_command(services: dict[str, Any]) -> None:
    known = {each.name or each.callback.__name__ for each in app.registered_commands}  # type: ignore[union-attr]  # typer leaves it open

    assert {each["command"][0] for each in services.values()} <= {
        name.replace("_", "-") for name in known
    }


def test_a_worker_is_given_no_secret_of_the_house(services: dict[str, Any]) -> None:
    worker = services["worker"]["environment"]

    assert not {"MYRIORAMA_DATABASE_URL", "MYRIORAMA_SECRET", "STRIPE_SECRET_KEY"} & set(worker)


def test_every_program_starts_behind_the_schema(services: dict[str, Any]) -> None:
    awaits = {
        name: each["depends_on"].get("migrate", {}).get("condition")
        for name, each in services.items()
        if name != "migrate"
    }

    assert set(awaits.values()) == {"service_completed_successfully"}


def test_what_compose_asks_for_is_told_of_in_the_docs(services: dict[str, Any]) -> None:
    asked = set(HELD.findall((ROOT / "compose.yaml").read_text()))
    told = (ROOT / "docs/operations.md").read_text() + (ROOT / "docs/models.md").read_text()

    assert {name for name in asked if name not in told} == set()
    assert services
