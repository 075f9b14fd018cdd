"""The projector folds every event once, in order, whatever happens to it or to PostgreSQL."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY
from psycopg import Cursor
from psycopg.rows import TupleRow
from structlog.testing import capture_logs

from domain.catalogue import READABLE
from domain.invitation.aggregate import Invitation
from domain.invitation.events import InvitationIssued
from myriorama.processes import invite
from myriorama.replay.folding import Source
from myriorama.replay.verification import compare
from myriorama.settings import Settings, variable
from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool, migrate, open_pool
from myriorama.store.projected import moved
from myriorama.workers.projector import Projector
from projections.projection import AnyProjection, Recorded
from tests.foreign_events import insert
from tests.workers.following import PATIENT, Codes, Lengths, make_tables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
BOTH: Sequence[AnyProjection] = (Codes(), Lengths())


@pytest.fixture(autouse=True)
def tables(pool: Pool) -> None:
    make_tables(pool)


@contextmanager
def running(
    pool: Pool,
    url: str,
    projections: Sequence[AnyProjection] = BOTH,
    source: Source | None = None,
) -> Generator[Projector]:
    projector = Projector({"domain": source or EventSource(pool)}, projections, url=url)
    thread = threading.Thread(target=projector.run)
    thread.start()
    try:
        yield projector
    finally:
        projector.stop()
        thread.join(timeout=15)
    assert not thread.is_alive()


@contextmanager
def running_elsewhere(url: str, **environment: str) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - a program of these tests
        [sys.executable, "-m", "tests.workers.following", url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def issue(log: Log, *codes: str) -> None:
    for code in codes:
        log.save(Invitation.issue(code, issuer_id=UUID(int=1), at=NOON))


def column(pool: Pool, query: str) -> list[Any]:
    with pool.connection() as connection:
        return [value for (value,) in connection.execute(query.encode())]


def codes(pool: Pool) -> list[str]:
    return column(pool, "SELECT code FROM codes ORDER BY position")


def lengths(pool: Pool) -> list[int]:
    return column(pool, "SELECT length FROM lengths ORDER BY position")


def standing(pool: Pool) -> dict[str, int]:
    with pool.connection() as connection:
        return dict(connection.execute("SELECT name, position FROM projection_positions"))


def until(reached: Callable[[], bool], *, what: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, f"still {what()}"
        time.sleep(0.02)


def await_codes(pool: Pool, expected: list[str]) -> None:
    until(lambda: codes(pool) == expected, what=lambda: codes(pool))


def await_lengths(pool: Pool, expected: list[int]) -> None:
    until(lambda: lengths(pool) == expected, what=lambda: lengths(pool))


def gauge(name: str, projection: str) -> float | None:
    return REGISTRY.get_sample_value(f"myriorama_projection_{name}", {"projection": projection})


def test_what_is_recorded_while_it_runs_and_before_is_folded(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "BEFORE")

    with running(pool, database_url):
        await_codes(pool, ["BEFORE"])
        issue(log, "DURING")
        await_codes(pool, ["BEFORE", "DURING"])


def test_projections_that_stand_together_move_together_and_say_so_once(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST", "SECOND")

    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN projected")
        with running(pool, database_url):
            (heard,) = listener.notifies(timeout=20, stop_after=1)

    position, names = moved(heard.payload)
    assert (position, sorted(names)) == (2, ["codes", "lengths"])
    assert standing(pool) == {"codes": 2, "lengths": 2}


def test_a_position_passes_events_that_do_not_matter(
    pool: Pool, log: Log, database_url: str
) -> None:
    invitation = Invitation.issue("FIRST", issuer_id=None, at=NOON)
    invitation.redeem(account_id=UUID(int=2), at=NOON)
    log.save(invitation)

    with running(pool, database_url):
        until(lambda: standing(pool) == {"codes": 2, "lengths": 2})

    assert codes(pool) == ["FIRST"]


def test_two_projectors_fold_every_event_once(pool: Pool, log: Log, database_url: str) -> None:
    writers = [[f"W{writer}N{number}" for number in range(40)] for writer in range(3)]

    with running(pool, database_url), running_elsewhere(database_url):
        with ThreadPoolExecutor(len(writers)) as threads:
            for writing in [threads.submit(issue, log, *mine) for mine in writers]:
                writing.result()
        until(lambda: len(codes(pool)) >= 120 and len(lengths(pool)) >= 120)

    assert sorted(codes(pool)) == sorted(code for mine in writers for code in mine)
    assert len(lengths(pool)) == 120


def test_when_one_projector_ends_another_goes_on(pool: Pool, log: Log, database_url: str) -> None:
    with running_elsewhere(database_url) as first:
        issue(log, "FIRST")
        await_codes(pool, ["FIRST"])
        with running(pool, database_url):
            first.kill()
            issue(log, "LAST")
            await_codes(pool, ["FIRST", "LAST"])


def test_a_new_projection_catches_up_while_the_others_go_on(
    pool: Pool, log: Log, database_url: str
) -> None:
    with running(pool, database_url, [Codes()]):
        issue(log, "FIRST")
        await_codes(pool, ["FIRST"])

    with running(pool, database_url):
        issue(log, "SECOND")
        await_codes(pool, ["FIRST", "SECOND"])
        await_lengths(pool, [5, 6])


def test_an_event_that_cannot_be_folded_is_given_up_and_all_others_are_folded(
    pool: Pool, log: Log, database_url: str
) -> None:
    many = [f"C{number}" for number in range(20)]
    issue(log, *many[:13], "POISON", *many[13:])
    before = gauge("dead_letters_total", "codes") or 0

    with running(pool, database_url), capture_logs() as logs:
        await_codes(pool, many)
        await_lengths(pool, [len(code) for code in [*many[:13], "POISON", *many[13:]]])
        issue(log, "LATER")
        await_codes(pool, [*many, "LATER"])

    with pool.connection() as connection:
        buried = connection.execute("SELECT projection, position FROM dead_letters").fetchall()
    assert buried == [("codes", 14)]
    assert gauge("dead_letters_total", "codes") == before + 1
    assert [
        (entry["log_level"], entry["projection"], entry["position"])
        for entry in logs
        if entry["event"] == "event given up"
    ] == [("error", "codes", 14)]


def test_who_failed_rejoins_the_others(pool: Pool, log: Log, database_url: str) -> None:
    issue(log, "POISON")

    with running(pool, database_url):
        until(lambda: standing(pool) == {"codes": 1, "lengths": 1})
        with psycopg.connect(database_url, autocommit=True) as listener:
            listener.execute("LISTEN projected")
            heard = set[str]()
            while heard != {"codes", "lengths"}:
                issue(log, f"LATER{time.monotonic()}")
                (told,) = listener.notifies(timeout=20, stop_after=1)
                heard = set(moved(told.payload)[1])


def test_a_state_that_nobody_can_decode_is_given_up(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST")
    insert(pool, '{"code": 7}')
    issue(log, "LAST")

    with running(pool, database_url):
        await_codes(pool, ["FIRST", "LAST"])
        until(lambda: standing(pool) == {"codes": 3, "lengths": 3})

    buried = column(pool, "SELECT projection FROM dead_letters WHERE position = 2")
    assert sorted(buried) == ["codes", "lengths"]


class Newer(InvitationIssued):
    """The event as a newer release knows it."""

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["code"] = state["code"].lower()


def test_what_a_newer_release_stored_waits_for_it_and_holds_up_no_other(
    pool: Pool, log: Log, database_url: str
) -> None:
    invitation = Invitation.issue("FIRST", issuer_id=None, at=NOON)
    invitation.redeem(account_id=UUID(int=2), at=NOON)
    log.save(invitation)
    at, topic = NOON.isoformat(), "invitation"
    insert(
        pool,
        f'{{"class_version": 2, "originator_topic": "{topic}", "timestamp": "{at}",'
        ' "code": "new", "issuer_id": null}',
    )

    class Redeemed(Codes):
        name = "redeemed"
        topics = ("invitation.redeemed",)

        def fold(self, events: Sequence[Recorded[Any]], cursor: Cursor[TupleRow]) -> None:
            cursor.executemany(
                "INSERT INTO lengths VALUES (%s, 0)", [(recorded.position,) for recorded in events]
            )

    with running(pool, database_url, [Codes(), Redeemed()]), capture_logs() as logs:
        until(lambda: standing(pool) == {"codes": 2, "redeemed": 3}, what=lambda: standing(pool))
        until(lambda: gauge("standing_still", "codes") == 1)
        until(lambda: any(entry["event"] == "projection stands still" for entry in logs))
    assert codes(pool) == ["FIRST"]
    assert gauge("lag_events", "codes") == 1
    assert column(pool, "SELECT position FROM dead_letters") == []

    newer_release = EventSource(pool, {**READABLE, InvitationIssued.TOPIC: Newer})
    with running(pool, database_url, [Codes(), Redeemed()], newer_release):
        await_codes(pool, ["FIRST", "new"])
        until(lambda: gauge("standing_still", "codes") == 0)
        until(lambda: standing(pool) == {"codes": 3, "redeemed": 3})


def test_a_projection_without_its_table_waits_for_it_and_holds_up_no_other(
    pool: Pool, log: Log, database_url: str
) -> None:
    with pool.connection() as connection:
        connection.execute("ALTER TABLE codes RENAME TO hidden")
    issue(log, "FIRST")

    with running(pool, database_url):
        await_lengths(pool, [5])
        until(lambda: gauge("standing_still", "codes") == 1)
        with pool.connection() as connection:
            connection.execute("ALTER TABLE hidden RENAME TO codes")
        await_codes(pool, ["FIRST"])
        until(lambda: gauge("standing_still", "codes") == 0)

    assert column(pool, "SELECT position FROM dead_letters") == []


def test_a_projector_that_is_killed_in_the_middle_of_a_window_folds_nothing_twice(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST", "SLOW", "LAST")
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"

    with running_elsewhere(database_url, **{PATIENT: "1"}) as process:
        until(lambda: column(pool, asleep) == [1])
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert codes(pool) == []
    assert set(standing(pool).values()) == {0}

    with running(pool, database_url):
        await_codes(pool, ["FIRST", "SLOW", "LAST"])
        await_lengths(pool, [5, 4, 4])


def test_a_dropped_connection_is_no_more_than_a_pause(
    pool: Pool, log: Log, database_url: str
) -> None:
    with running(pool, database_url):
        issue(log, "FIRST")
        await_codes(pool, ["FIRST"])

        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        issue(log, "LAST")
        await_codes(pool, ["FIRST", "LAST"])


def test_a_restart_of_postgresql_is_no_more_than_a_pause() -> None:
    with tempfile.TemporaryDirectory(prefix="myriorama-") as made:
        folder = Path(made) / "postgres"
        server = start_postgres(folder)
        migrate(server.url)
        with open_pool(server.url) as pool, running(pool, server.url):
            make_tables(pool)
            log = Log(pool)
            issue(log, "FIRST")
            await_codes(pool, ["FIRST"])

            server.stop()
            server = start_postgres(folder)

            until(lambda: _issued(log, "LAST"))
            await_codes(pool, ["FIRST", "LAST"])
        server.stop()


def _issued(log: Log, code: str) -> bool:
    try:
        issue(log, code)
    except Exception as error:  # noqa: BLE001 - whatever a writer is told of a server that was away
        return "already" in str(error)
    return True


def test_a_projection_slower_than_the_writers_misses_nothing(
    pool: Pool, log: Log, database_url: str
) -> None:
    class Slow(Codes):
        def fold(
            self, events: Sequence[Recorded[InvitationIssued]], cursor: Cursor[TupleRow]
        ) -> None:
            cursor.execute("SELECT pg_sleep(0.05)")
            super().fold(events, cursor)

    many = [f"C{number}" for number in range(300)]

    with running(pool, database_url, [Slow(), Lengths()]):
        issue(log, *many)
        await_codes(pool, many)
        until(lambda: gauge("lag_events", "codes") == 0)
        await_lengths(pool, [len(code) for code in many])


def test_a_long_transaction_of_somebody_else_holds_up_nothing(
    pool: Pool, log: Log, database_url: str
) -> None:
    with running(pool, database_url), psycopg.connect(database_url) as other:
        other.execute("CREATE TABLE unfinished (n bigint)")  # has an ID, and a snapshot
        issue(log, "FIRST")

        await_codes(pool, ["FIRST"])
        other.rollback()


def test_who_locks_a_table_holds_up_its_projection_alone(
    pool: Pool, log: Log, database_url: str
) -> None:
    with running(pool, database_url):
        with psycopg.connect(database_url) as other:
            other.execute("LOCK TABLE codes IN SHARE MODE")
            issue(log, "FIRST")

            await_lengths(pool, [5])
            assert codes(pool) == []

        await_codes(pool, ["FIRST"])


def test_verification_finds_a_row_that_no_event_made(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST", "SECOND")
    with running(pool, database_url):
        await_codes(pool, ["FIRST", "SECOND"])
    sources = {"domain": EventSource(pool)}

    sound = list(compare(database_url, sources, [Codes()]))
    with pool.connection() as connection:
        connection.execute("UPDATE codes SET code = 'FORGED' WHERE position = 2")
    forged = list(compare(database_url, sources, [Codes()]))

    assert [(c.table, c.position, c.equal, c.sound) for c in sound] == [("codes", 2, True, True)]
    assert [(c.equal, c.sound) for c in forged] == [(False, False)]


def test_verification_is_not_content_with_an_event_that_was_given_up(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST", "POISON")
    with running(pool, database_url):
        until(lambda: standing(pool) == {"codes": 2, "lengths": 2})

    (comparison,) = compare(database_url, {"domain": EventSource(pool)}, [Codes()])

    assert (comparison.equal, comparison.given_up, comparison.sound) == (True, 1, False)


def test_the_process_tells_its_numbers_where_it_is_told_to(
    settings: Settings, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    environment = {
        variable(field.name): str(getattr(settings, field.name)) for field in fields(settings)
    }
    invite(settings, at=NOON)
    pages = [""]

    def told(line: str) -> bool:
        with suppress(httpx.TransportError):
            pages.append(httpx.get(f"http://{address}/metrics").text)
        return f"myriorama_projection_{line}" in pages[-1]

    process = subprocess.Popen(
        [sys.executable, "-m", "myriorama", "project"],
        cwd=tmp_path,
        env={**os.environ, **environment, variable("metrics_address"): address},
    )
    try:
        until(lambda: told('folded_events_total{projection="invitations"} 1.0'))
        until(lambda: told('lag_events{projection="invitations"} 0.0'))
        assert told('standing_still{projection="view_counts"} 0.0')
        assert told('folding_seconds_total{projection="invitations"}')
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
