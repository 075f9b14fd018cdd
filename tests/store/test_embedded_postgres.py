"""PostgreSQL from the wheel: started, adopted, killed and restarted on one folder."""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from myriorama.store.embedded_postgres import (
    PostgresUnavailable,
    postgres_answers,
    postgres_argv,
    postgres_url,
    start_postgres,
)


@pytest.fixture
def folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made) / "postgres"


def test_a_server_is_durable_and_reached_by_its_socket_alone(folder: Path) -> None:
    server = start_postgres(folder)

    with psycopg.connect(server.url) as connection:
        settings = {name: _setting(connection, name) for name in _EXPECTED}
        (database,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    server.stop()

    assert settings == _EXPECTED
    assert database == "myriorama"
    assert folder.stat().st_mode & 0o077 == 0
    assert server.url == postgres_url(folder)


def test_a_server_that_need_not_outlast_the_machine_waits_for_no_disk(folder: Path) -> None:
    server = start_postgres(folder, durable=False)

    with psycopg.connect(server.url) as connection:
        waits = _setting(connection, "fsync")
    server.stop()

    assert waits == "off"


def test_a_second_start_adopts_the_server_and_leaves_it_to_its_owner(folder: Path) -> None:
    owner = start_postgres(folder)

    adopter = start_postgres(folder)
    adopter.stop()

    assert adopter.process is None
    assert adopter.url == owner.url
    assert postgres_answers(folder)
    owner.stop()
    assert not postgres_answers(folder)


def test_what_was_committed_survives_a_killed_postmaster(folder: Path) -> None:
    killed = start_postgres(folder)
    assert killed.process is not None
    session = psycopg.connect(killed.url, autocommit=True)
    session.execute("CREATE TABLE kept AS SELECT 1 AS one")

    killed.process.kill()
    restarted = start_postgres(folder)

    with psycopg.connect(restarted.url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    session.close()
    killed.process.wait()
    restarted.stop()


def test_stop_leaves_nothing_running(folder: Path) -> None:
    server = start_postgres(folder)
    assert server.process is not None
    with psycopg.connect(server.url) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
    pids = [server.process.pid, *(pid for (pid,) in rows)]

    server.stop()
    server.stop()

    assert server.process.returncode == 0
    assert [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()] == []


def test_a_noted_pid_that_another_process_has_by_now_is_stale(folder: Path) -> None:
    start_postgres(folder).stop()
    rest = f"{folder}\n1\n5432\n{folder}\n\n0 0\nready\n"
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{rest}")

    server = start_postgres(folder)

    assert server.process is not None
    server.stop()


def test_a_path_too_long_for_a_socket_gets_a_short_one(folder: Path) -> None:
    long = folder / ("x" * 100) / "postgres"

    server = start_postgres(long)

    assert str(long) not in server.url
    assert postgres_answers(long)
    server.stop()
    assert not Path(str(conninfo_to_dict(server.url)["host"])).exists()


def test_a_folder_with_other_files_is_refused_and_kept(folder: Path) -> None:
    folder.mkdir()
    (folder / "holiday.jpg").touch()

    with pytest.raises(PostgresUnavailable, match="holds other files"):
        start_postgres(folder)

    assert (folder / "holiday.jpg").exists()


def test_in_front_it_runs_until_it_is_asked_to_end(folder: Path) -> None:
    front = subprocess.Popen(postgres_argv(folder))  # noqa: S603 - our own
    _until(lambda: postgres_answers(folder))

    front.send_signal(signal.SIGTERM)
    status = front.wait()

    assert status == 0
    assert not postgres_answers(folder)


def test_it_ends_with_the_process_that_started_it(folder: Path) -> None:
    front = subprocess.Popen(postgres_argv(folder))  # noqa: S603 - our own
    _until(lambda: postgres_answers(folder))
    postmaster = os.pidfd_open(int((folder / "postmaster.pid").read_text().split()[0]))

    front.kill()
    front.wait()

    assert select.select([postmaster], [], [], _PATIENCE_S)[0] == [postmaster]
    os.close(postmaster)


_PATIENCE_S = 120.0
_EXPECTED = {
    "fsync": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
}


def _until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def _setting(connection: psycopg.Connection, name: str) -> str:
    (value,) = connection.execute("SELECT current_setting(%s)", (name,)).fetchone() or ("",)
    return str(value)
