"""A projection is rebuilt: compared, swapped in, rolled back, killed, or refused with a reason."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from signal import SIGKILL
from typing import LiteralString

import psycopg
import pytest

from myriorama import processes
from myriorama.bootstrap.logs import projections
from myriorama.replay.rebuilding import AlreadyRebuilding, Compared, Different, NothingRetired
from myriorama.replay.standby import NotMovable
from myriorama.replay.swap import InTheWay
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from projections.invitations import Invitations
from tests.corpus import read_corpus
from tests.replay.rebuilds import (
    all_equal,
    change,
    is_as_the_log_says,
    is_swapped,
    issue,
    rebuilt,
    rolled_back,
    rows,
    settle,
)

DAMAGE = "UPDATE invitations SET code = 'DAMAGED' WHERE code = 'CODE1'"
CODES = "SELECT code FROM invitations ORDER BY position"
CONTENTS = [(f"CODE{number}",) for number in range(5)]


@pytest.fixture
def damaged(settings: Settings, log: Log, projecting: None) -> None:
    assert projecting is None
    issue(log, *range(5))
    settle(settings)
    change(settings, DAMAGE)


@pytest.mark.usefixtures("damaged")
def test_a_difference_is_told_and_not_swapped_unless_it_is_accepted(
    settings: Settings, log: Log
) -> None:
    with pytest.raises(Different):
        rebuilt(settings, Invitations())
    assert ("DAMAGED",) in rows(settings, CODES)

    steps = rebuilt(settings, Invitations(), accept_difference=True)

    (table,) = [step for step in steps if isinstance(step, Compared)]
    assert not table.equal
    assert (table.live.rows, table.folded.rows) == (5, 5)
    assert "goes on at position 5" in str(steps[0])
    assert rows(settings, CODES) == CONTENTS
    issue(log, 5)
    settle(settings)
    assert rows(settings, CODES) == [*CONTENTS, ("CODE5",)]


@pytest.mark.usefixtures("damaged")
def test_what_was_retired_comes_back_with_what_has_happened_since(
    settings: Settings, log: Log
) -> None:
    rebuilt(settings, Invitations(), accept_difference=True)
    issue(log, 5)
    settle(settings)

    there = rolled_back(settings, Invitations())
    as_it_was = rows(settings, CODES)
    issue(log, 6)
    settle(settings)
    back = rolled_back(settings, Invitations())

    assert is_swapped(there)
    assert is_swapped(back)
    assert as_it_was == [("CODE0",), ("DAMAGED",), *CONTENTS[2:], ("CODE5",)]
    assert rows(settings, CODES) == [*CONTENTS, ("CODE5",), ("CODE6",)]


def test_without_a_retired_one_there_is_nothing_to_roll_back(settings: Settings) -> None:
    with pytest.raises(NothingRetired):
        rolled_back(settings, Invitations())


@pytest.mark.usefixtures("projecting")
def test_what_could_not_be_folded_once_is_folded_by_a_rebuild(settings: Settings, log: Log) -> None:
    issue(log, *range(5))
    settle(settings)
    change(
        settings,
        "DELETE FROM invitations WHERE code = 'CODE1'",
        "INSERT INTO dead_letters VALUES ('invitations', 2, 'ValueError()')",
        "INSERT INTO dead_letters VALUES ('videos', 3, 'ValueError()')",
    )

    with pytest.raises(Different, match="dead letters: 1 live, 0 now"):
        rebuilt(settings, Invitations())
    rebuilt(settings, Invitations(), accept_difference=True)
    after = rows(settings, "SELECT projection, position FROM dead_letters ORDER BY 1, 2")
    rolled_back(settings, Invitations())

    assert after == [("videos", 3)]
    again = rows(settings, "SELECT projection, position FROM dead_letters ORDER BY 1, 2")
    assert again == [("invitations", 2), ("videos", 3)]


@pytest.mark.usefixtures("projecting")
def test_every_projection_can_be_rebuilt(settings: Settings, pool: Pool) -> None:
    by_time = sorted(read_corpus(), key=lambda entry: entry.fields["timestamp"])
    DomainRecorder(pool).insert_events([entry.stored() for entry in by_time])
    settle(settings)

    for projection in projections():
        steps = rebuilt(settings, projection)

        assert is_swapped(steps), projection.name
        assert all_equal(steps), projection.name
    with psycopg.connect(settings.database_url) as connection:
        live = [table for projection in projections() for table in projection.tables]
        moved = connection.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace",
            (live,),
        ).fetchall()
    assert {name for (name,) in moved} == set(live)
    assert all(comparison.equal for comparison in processes.verify_state(settings))


def test_a_second_rebuild_of_a_projection_is_refused(settings: Settings) -> None:
    first = processes.rebuild(settings, Invitations(), accept_difference=False)
    next(first)

    with pytest.raises(AlreadyRebuilding):
        rebuilt(settings, Invitations())

    assert is_swapped(list(first))


def test_a_table_that_something_else_holds_on_to_is_not_rebuilt(settings: Settings) -> None:
    change(settings, "CREATE VIEW codes AS SELECT code FROM invitations")

    with pytest.raises(NotMovable, match="view codes"):
        rebuilt(settings, Invitations())


def test_who_is_in_the_way_for_too_long_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("myriorama.replay.swap._PATIENCE_S", 0.5)
    with psycopg.connect(settings.database_url, application_name="nightly dump") as dump:
        dump.execute("SELECT FROM invitations").fetchall()

        with pytest.raises(InTheWay, match="nightly dump"):
            rebuilt(settings, Invitations())

    with psycopg.connect(settings.database_url, application_name="nightly dump") as dump:
        dump.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        dump.execute("SELECT FROM accounts").fetchall()

        with pytest.raises(InTheWay, match="nightly dump"):
            rebuilt(settings, Invitations())

    assert is_swapped(rebuilt(settings, Invitations()))


def test_a_schema_of_somebody_else_is_left_alone(settings: Settings) -> None:
    change(settings, "CREATE SCHEMA invitations_retired")

    with pytest.raises(NotMovable, match="invitations_retired"):
        rebuilt(settings, Invitations())


def test_a_table_keeps_its_rights_and_its_options(settings: Settings) -> None:
    change(
        settings,
        "GRANT SELECT ON invitations TO public",
        "ALTER TABLE invitations SET (fillfactor = 80)",
    )
    query: LiteralString = (
        "SELECT relacl::text, reloptions FROM pg_class WHERE oid = 'invitations'::regclass"
    )
    before = rows(settings, query)

    rebuilt(settings, Invitations())

    assert rows(settings, query) == before


def test_a_table_that_was_altered_meanwhile_is_folded_from_the_start(settings: Settings) -> None:
    under_way = processes.rebuild(settings, Invitations(), accept_difference=False)
    next(under_way)
    change(settings, "ALTER TABLE invitations ADD COLUMN note text")

    with pytest.raises(NotMovable, match="note text"):
        list(under_way)
    steps = rebuilt(settings, Invitations())

    assert "starts over" in str(steps[0])
    assert is_swapped(steps)


class Rebuilding:
    """`myriorama project --rebuild invitations`, in a process that can be killed."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {
            "MYRIORAMA_HOME": str(settings.home),
            "MYRIORAMA_DATABASE_URL": settings.database_url,
            "MYRIORAMA_KAFKA": settings.kafka,
            "MYRIORAMA_OBJECTS": settings.objects,
            "MYRIORAMA_SECRET": settings.secret,
            "MYRIORAMA_WORKER_TOKEN": settings.worker_token,
        }

    @contextmanager
    def running(self) -> Generator[subprocess.Popen[str]]:
        argv = [sys.executable, "-m", "myriorama", "project", "--rebuild", "invitations"]
        with subprocess.Popen(  # noqa: S603 - the product itself
            argv, stdout=subprocess.PIPE, env={**os.environ, **self._environment}, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def killed_when(self, query: LiteralString) -> None:
        """Run it until a query answers true, and kill it there."""
        with (
            psycopg.connect(self._environment["MYRIORAMA_DATABASE_URL"], autocommit=True) as c,
            self.running() as process,
        ):
            while c.execute(query).fetchone() != (True,):
                assert process.poll() is None
                time.sleep(0.002)
            process.send_signal(SIGKILL)
            assert process.wait() == -SIGKILL

    def to_its_end(self) -> str:
        with self.running() as process:
            told, _ = process.communicate(timeout=60)
            assert process.returncode == 0
            return told


@pytest.mark.usefixtures("projecting")
def test_a_rebuild_that_is_killed_harms_nothing_and_is_run_again(
    settings: Settings, log: Log
) -> None:
    url = settings.database_url
    issue(log, *range(300))
    settle(settings)
    rebuilding = Rebuilding(settings)

    rebuilding.killed_when("SELECT to_regclass('invitations_rebuilt.invitations') IS NOT NULL")
    assert is_as_the_log_says(settings, Invitations())
    with psycopg.connect(url) as reader:  # keeps the swap waiting
        reader.execute("SELECT FROM invitations").fetchall()
        rebuilding.killed_when(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
            " AND relation = 'public.invitations'::regclass)"
        )
        issue(log, 300)
        settle(settings)
    assert is_as_the_log_says(settings, Invitations())
    told = rebuilding.to_its_end()

    assert "goes on at position 30" in told
    assert "equal" in told
    assert "swapped at 301" in told
    assert is_as_the_log_says(settings, Invitations())
