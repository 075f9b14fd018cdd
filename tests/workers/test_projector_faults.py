"""What goes wrong beside a projector, or in it, costs no event and holds up no other."""

import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow
from structlog.testing import capture_logs

from domain.catalogue import READABLE
from domain.invitation.aggregate import Invitation
from domain.invitation.events import InvitationIssued
from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool, migrate, open_pool
from myriorama.store.projected import moved
from projections.projection import Recorded
from tests.foreign_events import insert
from tests.workers.following import PATIENT, Codes, make_tables
from tests.workers.projecting import (
    NOON,
    PATIENCE_S,
    await_codes,
    await_lengths,
    codes,
    column,
    gauge,
    issue,
    running,
    running_elsewhere,
    standing,
    until,
)


@pytest.fixture(autouse=True)
def tables(pool: Pool) -> None:
    make_tables(pool)


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
                (told,) = listener.notifies(timeout=PATIENCE_S, stop_after=1)
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


def test_a_long_transaction_of_somebody_else_holds_up_nothing(
    pool: Pool, log: Log, database_url: str
) -> None:
    with running(pool, database_url), psycopg.connect(database_url) as other:
        other.execute("CREATE TABLE unfinished (n bigint)")  # has an ID, and a snapshot
        issue(log, "FIRST")

        await_codes(pool, ["FIRST"])
        other.rollback()
