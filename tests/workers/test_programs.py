"""The programs of a house: those of money among them, each with an address for its numbers."""

import socket
from pathlib import Path

import pytest

from myriorama.workers.programs import furnish, household
from myriorama.workers.supervisor import Program

METRICS = "MYRIORAMA_METRICS_ADDRESS"
TELLING = ("project", "settle", "pace", "collect", "notify")


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def programs(home: Path, given: dict[str, str]) -> dict[str, Program]:
    environment = furnish(given, home)
    run = household(given, environment, home=home, address=free_address(), empty=True)
    return {program.name: program for program in run}


def test_a_house_settles_paces_and_collects_from_a_double_of_stripe(tmp_path: Path) -> None:
    run = programs(tmp_path, {})

    assert {"settle", "pace", "collect", "stripe"} <= set(run)
    assert run["pace"].after == run["settle"].after == ("migrate",)


def test_no_double_stands_where_there_is_a_key_of_stripes(tmp_path: Path) -> None:
    run = programs(tmp_path, {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": "w"})

    assert "collect" in run
    assert "stripe" not in run


def test_programs_that_tell_numbers_do_so_at_ports_in_a_row(tmp_path: Path) -> None:
    run = programs(tmp_path, {METRICS: "127.0.0.1:9100"})

    told = {name: run[name].env[METRICS] for name in TELLING}
    assert told == {
        "project": "127.0.0.1:9100",
        "settle": "127.0.0.1:9101",
        "pace": "127.0.0.1:9102",
        "collect": "127.0.0.1:9103",
        "notify": "127.0.0.1:9104",
    }


def test_without_an_address_numbers_are_told_nowhere(tmp_path: Path) -> None:
    assert programs(tmp_path, {})["pace"].env[METRICS] == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"MYRIORAMA_ADDRESS": "127.0.0.1:8080"}, "http://127.0.0.1:8080"),
        ({"MYRIORAMA_ADDRESS": "0.0.0.0:8080"}, "http://127.0.0.1:8080"),
        ({}, None),
        (
            {"MYRIORAMA_ADDRESS": "127.0.0.1:8080", "MYRIORAMA_PUBLIC_URL": "https://m.example"},
            None,
        ),
    ],
    ids=["moved", "everywhere", "usual", "named"],
)
def test_workers_ask_the_house_where_it_listens(
    tmp_path: Path, given: dict[str, str], told: str | None
) -> None:
    assert furnish(given, tmp_path).get("MYRIORAMA_PUBLIC_URL") == told
