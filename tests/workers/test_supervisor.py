"""The supervisor: starts in order, restarts what dies, and leaves nothing running."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from myriorama.store.embedded_postgres import postgres_answers, postgres_argv, postgres_url
from myriorama.workers.supervisor import HomeTaken, Program, Supervisor

# What `myriorama up` is to the product: a process that runs a supervisor and nothing else.
UP = """
import json, pathlib, sys
from myriorama.workers.supervisor import Program, Supervisor

home, programs = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
for program in programs:
    if "ready" in program:
        program["ready"] = pathlib.Path(program["ready"]).exists
    program["after"] = tuple(program.get("after", ()))
up = Supervisor([Program(**program) for program in programs], home=home, announce=lambda: "Open it",
                patience_s=1.0)
sys.exit(up.run())
"""
Up = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def up(tmp_path: Path) -> Generator[Up]:
    started: list[subprocess.Popen[str]] = []

    def start(*programs: dict[str, object]) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-c", UP, str(tmp_path / "home"), json.dumps(programs)],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_killed_program_is_started_again(up: Up, tmp_path: Path) -> None:
    supervisor = up(_sleeper("api", tmp_path))
    first = _pid(tmp_path / "api")

    os.kill(first, signal.SIGKILL)
    _read_until(supervisor, "api was ended by SIGKILL")

    _until(lambda: _pid(tmp_path / "api") != first)


def test_a_second_supervisor_on_the_same_home_is_refused(up: Up, tmp_path: Path) -> None:
    supervisor = up(_sleeper("api", tmp_path))
    _read_until(supervisor, "Open it")

    with pytest.raises(HomeTaken, match=rf"already \(pid {supervisor.pid}\)"):
        Supervisor([], home=tmp_path / "home").run()

    assert supervisor.poll() is None


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_asked_to_stop_nothing_is_left(
    up: Up, tmp_path: Path, sign: signal.Signals
) -> None:
    with_child = f"sleep 600 & echo $! > {tmp_path}/child.tmp; mv {tmp_path}/child.tmp"
    supervisor = up(
        _sleeper("api", tmp_path),
        _program("parent", f"{with_child} {tmp_path}/child; wait"),
        _program("daemon", f"setsid sh -c 'echo $$ > {tmp_path}/escaped; exec sleep 600' & wait"),
        _program("deaf", f"trap '' TERM; echo $$ > {tmp_path}/deaf; while :; do sleep 600; done"),
    )
    pids = [_pid(tmp_path / name) for name in ("api", "child", "escaped", "deaf")]

    with _watched(pids) as watched:
        supervisor.send_signal(sign)
        status = supervisor.wait()

        assert status == 0
        assert all(_has_ended(each) for each in watched)


def test_when_it_is_killed_its_programs_end(up: Up, tmp_path: Path) -> None:
    supervisor = up(_sleeper("api", tmp_path), _sleeper("worker", tmp_path))
    pids = [_pid(tmp_path / name) for name in ("api", "worker")]

    with _watched(pids) as watched:
        supervisor.kill()
        supervisor.wait()

        assert all(_has_ended(each) for each in watched)


def test_programs_start_when_those_before_are_ready_and_stop_the_other_way_round(
    up: Up, tmp_path: Path
) -> None:
    serve = (
        "echo {0} up >> journal; touch {0}; sleep 600 & "
        "trap 'sleep {1}; echo {0} down >> journal; exit' TERM; wait"
    )
    cd = f"cd {tmp_path}; "
    supervisor = up(
        _program("api", cd + serve.format("api", 0.3), after=["migrate"]),
        _program("migrate", cd + "echo migrated >> journal", once=True, after=["postgres"]),
        _program("postgres", cd + serve.format("postgres", 0), ready=str(tmp_path / "postgres")),
    )
    _until((tmp_path / "api").exists)
    _read_until(supervisor, "Open it")

    supervisor.send_signal(signal.SIGINT)
    supervisor.wait()

    assert (tmp_path / "journal").read_text().splitlines() == [
        *("postgres up", "migrated", "api up"),
        *("api down", "postgres down"),
    ]


def test_a_program_that_cannot_be_started_says_why_and_holds_up_no_other(
    up: Up, tmp_path: Path
) -> None:
    missing = {"name": "missing", "argv": [str(tmp_path / "nowhere")]}
    up(missing, _sleeper("api", tmp_path))

    log = tmp_path / "home" / "logs" / "missing.log"
    _until(lambda: log.exists() and "No such file" in log.read_text())
    assert _pid(tmp_path / "api") > 0


def test_each_run_begins_a_new_log_and_keeps_the_last(up: Up, tmp_path: Path) -> None:
    logs = tmp_path / "home" / "logs"
    for run in ("first", "second"):
        supervisor = up(_program("api", f"echo {run}; exec sleep 600"))
        _until(partial(_says, logs / "api.log", f"{run}\n"))
        supervisor.terminate()
        supervisor.wait()

    assert _text(logs / "api.log") == "second\n"
    assert _text(logs / "api.log.1") == "first\n"


def test_a_killed_postmaster_is_started_again_on_its_data(up: Up) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "postgres"
        supervisor = up({"name": "postgres", "argv": postgres_argv(folder)})
        _until(lambda: postgres_answers(folder))
        with psycopg.connect(postgres_url(folder), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")

        os.kill(_postmaster(folder), signal.SIGKILL)
        _read_until(supervisor, "postgres ended (1)")
        _until(lambda: postgres_answers(folder))

        with psycopg.connect(postgres_url(folder)) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        with _watched([_postmaster(folder)]) as (postmaster,):
            supervisor.send_signal(signal.SIGINT)
            supervisor.wait()
            assert _has_ended(postmaster)


def test_a_program_after_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"api is after \['postgres'\]"):
        Supervisor([Program("api", ["true"], after=("postgres",))], home=tmp_path)


def test_programs_that_wait_for_one_another_are_refused(tmp_path: Path) -> None:
    egg = Program("egg", ["true"], after=("hen",))
    hen = Program("hen", ["true"], after=("egg",))

    with pytest.raises(ValueError, match="egg is after itself"):
        Supervisor([egg, hen], home=tmp_path)


_PATIENCE_S = 120.0


def _program(name: str, script: str, **more: object) -> dict[str, object]:
    return {"name": name, "argv": ["sh", "-c", script], **more}


def _sleeper(name: str, folder: Path) -> dict[str, object]:
    """A program that tells its pid."""
    told = folder / name
    return _program(name, f"echo $$ > {told}.tmp; mv {told}.tmp {told}; exec sleep 600")


def _pid(told: Path) -> int:
    _until(lambda: _text(told).endswith("\n"))
    return int(told.read_text())


def _postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split("\n", 1)[0])


def _says(log: Path, text: str) -> bool:
    return _text(log) == text


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@contextlib.contextmanager
def _watched(pids: list[int]) -> Generator[list[int]]:
    """Handles that stay these processes', whatever becomes of their numbers."""
    handles = [os.pidfd_open(pid) for pid in pids]
    yield handles
    for handle in handles:
        os.close(handle)


def _has_ended(handle: int) -> bool:
    return select.select([handle], [], [], _PATIENCE_S)[0] == [handle]


def _read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    assert any(words in line for line in process.stdout)


def _until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)
