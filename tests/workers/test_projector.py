"""The projector folds every event once, in order, and tells how far it is."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.invitation.aggregate import Invitation
from domain.invitation.events import InvitationIssued
from myriorama.processes import invite
from myriorama.replay.verification import compare
from myriorama.settings import Settings, variable
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.store.projected import moved
from projections.projection import Recorded
from tests.workers.following import Codes, Lengths, make_tables
from tests.workers.projecting import (
    NOON,
    PATIENCE_S,
    await_codes,
    await_lengths,
    codes,
    gauge,
    issue,
    lengths,
    running,
    running_elsewhere,
    standing,
    until,
)


@pytest.fixture(autouse=True)
def tables(pool: Pool) -> None:
    make_tables(pool)


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
            (heard,) = listener.notifies(timeout=PATIENCE_S, stop_after=1)

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
        assert process.wait(timeout=PATIENCE_S) == 0
