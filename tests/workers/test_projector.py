"""The projector folds every event once, in order, whatever happens to it or to PostgreSQL."""

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import ClassVar, Literal
from uuid import UUID

import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.invitation.aggregate import Invitation
from domain.invitation.events import InvitationIssued
from myriorama.bootstrap import projections
from myriorama.replay.verification import compare
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.workers.projector import Follower, Projector
from projections.projection import Projection, Recorded

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Codes(Projection[InvitationIssued]):
    """A projection of this test: every code in the order it came. POISON cannot be folded."""

    name = "codes"
    log: ClassVar[Literal["domain", "views"]] = "domain"
    tables = ("codes",)
    topics = (InvitationIssued.TOPIC,)

    def fold(self, events: Sequence[Recorded[InvitationIssued]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            if recorded.event.code == "POISON":
                raise ValueError("poison")
            cursor.execute(
                "INSERT INTO codes VALUES (%s, %s)", (recorded.position, recorded.event.code)
            )


@pytest.fixture(autouse=True)
def table(pool: Pool) -> None:
    with pool.connection() as connection:
        connection.execute("CREATE TABLE codes (position bigint, code text)")


@contextmanager
def running(pool: Pool, url: str) -> Generator[Projector]:
    projector = Projector(pool, {"domain": EventSource(pool)}, [Codes()], url=url)
    thread = threading.Thread(target=projector.run)
    thread.start()
    yield projector
    projector.stop()
    thread.join(timeout=15)
    assert not thread.is_alive()


def issue(log: Log, *codes: str) -> None:
    for code in codes:
        log.save(Invitation.issue(code, issuer_id=UUID(int=1), at=NOON))


def folded(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        return [code for (code,) in connection.execute("SELECT code FROM codes ORDER BY position")]


def await_folded(pool: Pool, expected: list[str]) -> None:
    deadline = time.monotonic() + 20
    while folded(pool) != expected:
        assert time.monotonic() < deadline, f"{folded(pool)} is not {expected}"
        time.sleep(0.02)


def test_what_is_recorded_while_it_runs_and_before_is_folded(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "BEFORE")

    with running(pool, database_url):
        await_folded(pool, ["BEFORE"])
        issue(log, "DURING")
        await_folded(pool, ["BEFORE", "DURING"])


def test_two_projectors_fold_every_event_once(pool: Pool, log: Log, database_url: str) -> None:
    codes = [f"C{number}" for number in range(30)]

    with running(pool, database_url), running(pool, database_url):
        issue(log, *codes)
        await_folded(pool, codes)


def test_an_event_that_cannot_be_folded_is_buried_and_the_others_are_folded(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST", "POISON", "LAST")

    with running(pool, database_url):
        await_folded(pool, ["FIRST", "LAST"])

    with pool.connection() as connection:
        buried = connection.execute("SELECT projection, position FROM dead_letters").fetchall()
    assert buried == [("codes", 2)]


def test_a_dropped_connection_is_no_more_than_a_pause(
    pool: Pool, log: Log, database_url: str
) -> None:
    with running(pool, database_url):
        issue(log, "FIRST")
        await_folded(pool, ["FIRST"])

        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        issue(log, "LAST")
        await_folded(pool, ["FIRST", "LAST"])


def test_a_position_passes_events_that_do_not_matter(pool: Pool, log: Log) -> None:
    follower = Follower(pool, EventSource(pool), Codes())
    invitation = Invitation.issue("FIRST", issuer_id=None, at=NOON)
    invitation.redeem(account_id=UUID(int=2), at=NOON)
    log.save(invitation)

    assert not follower.step()

    with pool.connection() as connection:
        row = connection.execute("SELECT position FROM projection_positions").fetchone()
    assert row == (2,)


def test_verification_finds_a_row_that_no_event_made(
    pool: Pool, log: Log, database_url: str
) -> None:
    issue(log, "FIRST", "SECOND")
    Follower(pool, EventSource(pool), Codes()).step()

    sound = list(compare(database_url, {"domain": EventSource(pool)}, [Codes()]))
    with pool.connection() as connection:
        connection.execute("UPDATE codes SET code = 'FORGED' WHERE position = 2")
    forged = list(compare(database_url, {"domain": EventSource(pool)}, [Codes()]))

    assert [(c.table, c.position, c.equal) for c in sound] == [("codes", 2, True)]
    assert [c.equal for c in forged] == [False]


def test_every_projection_has_a_name_and_tables_of_its_own() -> None:
    names = [projection.name for projection in projections()]
    tables = [table for projection in projections() for table in projection.tables]

    assert len(set(names)) == len(names)
    assert len(set(tables)) == len(tables)
