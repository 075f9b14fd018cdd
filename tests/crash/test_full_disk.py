"""A full disk refuses commands and says so; nothing acknowledged is lost, and it goes on."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import structlog
from httpx import Response
from litestar.testing import TestClient

from domain.invitation.aggregate import Invitation
from myriorama.bootstrap.api import create_api
from myriorama.bootstrap.logs import projections
from myriorama.bootstrap.programs import create_projector
from myriorama.replay.log_verification import verify_logs
from myriorama.settings import Settings
from myriorama.store.embedded_postgres import EmbeddedPostgres, start_postgres
from myriorama.store.full_disk import is_full
from myriorama.store.identity import new_id
from myriorama.store.log import Log
from myriorama.store.postgres import migrate, open_pool
from tests.crash.volumes import SmallDisk, full_file_system, limited_files
from tests.people import application_form

ALICE = UUID(int=1)
FULL = "the disk of PostgreSQL is full"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_COMMANDS_MAX = 2000
_PATIENCE_S = 60


@pytest.fixture(params=["file system", "files"])
def disk(request: pytest.FixtureRequest) -> Generator[SmallDisk]:
    if request.param == "files":
        with limited_files() as limited:
            yield limited
        return
    with full_file_system() as small:
        if small is None:
            pytest.skip("a file system may not be mounted here")
        yield small


@contextmanager
def server_on(disk: SmallDisk) -> Generator[EmbeddedPostgres]:
    server = start_postgres(disk.folder / "postgres")
    try:
        migrate(server.url)
        yield server
    finally:
        server.stop()


def issue(log: Log, *, invitations: int, words: int) -> set[UUID]:
    """Issue some invitations by one command, under codes as long as one likes."""
    issued = [
        Invitation.issue(f"{new_id()}{' word' * words}", issuer_id=ALICE, at=NOON)
        for _ in range(invitations)
    ]
    log.save(*issued)
    return {invitation.id for invitation in issued}


def issue_until_refused(log: Log, *, invitations: int, words: int) -> tuple[set[UUID], Exception]:
    """Return what was acknowledged, and the refusal."""
    acknowledged: set[UUID] = set()
    for _ in range(_COMMANDS_MAX):
        try:
            acknowledged |= issue(log, invitations=invitations, words=words)
        except psycopg.Error as refusal:
            return acknowledged, refusal
    raise AssertionError("the disk was never full")


def sign_up(settings: Settings, url: str) -> Response:
    """Sign somebody up over HTTP."""
    elsewhere = replace(settings, database_url=url, sign_up="open")
    with TestClient(create_api(elsewhere), raise_server_exceptions=False) as client:
        return client.post("/v1/accounts", json=application_form("alice", None))


def recorded(url: str) -> set[UUID]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT originator_id FROM events")}


def test_a_full_disk_refuses_commands_loses_nothing_and_goes_on_by_itself(
    disk: SmallDisk, settings: Settings
) -> None:
    with server_on(disk) as server, open_pool(server.url) as pool:
        log = Log(pool)
        acknowledged = issue(log, invitations=100, words=200)
        disk.fill(server)

        # A command fits where a longer one did not: until not even a short one does.
        refusals: list[Exception] = []
        with structlog.testing.capture_logs() as said:
            for count, words in ((100, 200), (500, 1), (20, 1), (1, 1)):
                more, refusal = issue_until_refused(log, invitations=count, words=words)
                acknowledged |= more
                refusals.append(refusal)
            answer = sign_up(settings, server.url)
        left = recorded(server.url)
        disk.clear(server)
        more = issue(log, invitations=100, words=200)

        assert all(is_full(refusal) for refusal in refusals)
        assert left == acknowledged
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert answer.json()["code"] == "store_unavailable"
        assert any(line["event"] == FULL for line in said)
        assert recorded(server.url) == acknowledged | more
        assert list(verify_logs(server.url, projections()))


def test_a_server_that_cannot_write_ahead_comes_back_with_all_it_acknowledged() -> None:
    with full_file_system() as disk:
        if disk is None:
            pytest.skip("a file system may not be mounted here")
        with server_on(disk) as server, open_pool(server.url) as pool:
            log = Log(pool)
            acknowledged = issue(log, invitations=100, words=200)
            disk.fill(server)

            down = end_write_ahead_log(server)
            disk.clear(server)
            restarted = start_postgres(server.folder)
            acknowledged |= issue(log, invitations=100, words=200)

            assert down
            assert recorded(server.url) == acknowledged
            restarted.stop()


def test_the_read_side_waits_for_room_and_gives_no_event_up(settings: Settings) -> None:
    with full_file_system() as disk:
        if disk is None:
            pytest.skip("a file system may not be mounted here")
        with server_on(disk) as server, open_pool(server.url) as pool:
            recorded_ids = issue(Log(pool), invitations=500, words=200)
            disk.fill(server)
            with structlog.testing.capture_logs() as said, projecting(settings, server.url):
                eventually(lambda: any(line["event"] == FULL for line in said))

                disk.clear(server)

                eventually(lambda: folded(server.url) == len(recorded_ids))
            assert list(verify_logs(server.url, projections()))


@contextmanager
def projecting(settings: Settings, url: str) -> Generator[None]:
    projector = create_projector(replace(settings, database_url=url))
    thread = threading.Thread(target=projector.run)
    thread.start()
    try:
        yield
    finally:
        projector.stop()
        thread.join()


def folded(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM invitations").fetchone()
    assert row
    return int(row[0])


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def end_write_ahead_log(server: EmbeddedPostgres) -> bool:
    """Let the server need a new segment of its log, for which there is no room: it panics."""
    assert server.process
    with suppress(psycopg.Error), psycopg.connect(server.url, autocommit=True) as connection:
        for _ in range(10):
            connection.execute("SELECT pg_logical_emit_message(false, 'full', 'x')")
            connection.execute("SELECT pg_switch_wal()")
    return server.process.wait(timeout=_PATIENCE_S) != 0
