"""A projection is rebuilt while it is read and written, and nobody who reads it notices."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from signal import SIGKILL
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.invitation.aggregate import Invitation
from myriorama.bootstrap import projections, sources
from myriorama.replay.folding import Source
from myriorama.replay.rebuilding import (
    AlreadyRebuilding,
    Compared,
    Different,
    NothingRetired,
    Step,
    rebuild,
    roll_back,
)
from myriorama.replay.standby import NotMovable
from myriorama.replay.swap import Swapped
from myriorama.replay.verification import compare
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from projections.invitations import Invitations
from projections.projection import AnyProjection
from projections.videos import Videos
from tests.corpus import read_corpus
from tests.publishing import publish

ALICE = UUID(int=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

# In one snapshot, there is a row for every event up to the position.
COMPLETE = """
    SELECT (SELECT count(*) FROM videos), (SELECT count(*) FROM visible_videos(NULL)),
           (SELECT count(*) FROM events e
            WHERE e.topic = 'video.published' AND e.position <= p.position)
    FROM projection_positions p WHERE p.name = 'videos'
"""

# Such a function reads with the snapshot of the statement, but looks for its table when it is run.
COUNT = """
    CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM videos'
"""

COMPLETE_LATER = """
    SELECT how_many(), (SELECT count(*) FROM events e
                        WHERE e.topic = 'video.published' AND e.position <= p.position)
    FROM (SELECT position, pg_sleep(0.01) FROM projection_positions WHERE name = 'videos' OFFSET 0)
        AS p
"""

HEAD = "SELECT coalesce(max(position), 0) FROM events"
ARRIVED = "SELECT name FROM projection_positions WHERE position >= %s"

NAMES = """
    SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT conname, conrelid::regclass::text FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""


@pytest.fixture
def logs(pool: Pool, tmp_path: Path) -> dict[str, Source]:
    return dict(sources(pool, FolderObjects(tmp_path)))


Rebuild = Callable[..., list[Step]]


@pytest.fixture
def rebuilt(database_url: str, logs: dict[str, Source]) -> Rebuild:
    """Rebuild a projection: `rebuilt(Videos())`."""

    def run(projection: AnyProjection, *, accept_difference: bool = False) -> list[Step]:
        source = logs[projection.log]
        return list(rebuild(database_url, source, projection, accept_difference=accept_difference))

    return run


def issue(log: Log, *numbers: int) -> None:
    for number in numbers:
        log.save(Invitation.issue(f"CODE{number}", issuer_id=ALICE, at=NOON))


def settle(database_url: str) -> None:
    """Return when all projections of the domain log are where the log is."""
    names = {projection.name for projection in projections() if projection.log == "domain"}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("LISTEN projected")
        (head,) = connection.execute(HEAD).fetchone() or (0,)
        for _ in range(200):
            if names <= {name for (name,) in connection.execute(ARRIVED, (head,))}:
                return
            list(connection.notifies(timeout=0.2, stop_after=1))
    raise AssertionError("the projections did not come to the end of the log")


def rows(database_url: str, query: LiteralString) -> list[TupleRow]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(query).fetchall()


def is_swapped(steps: Sequence[Step]) -> bool:
    return isinstance(steps[-1], Swapped)


def all_equal(steps: Sequence[Step]) -> bool:
    tables = [step for step in steps if isinstance(step, Compared)]
    return bool(tables) and all(table.equal for table in tables)


class Crowd:
    """Threads that each do something over and over, on a connection of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.failures: list[Exception | str] = []
        self.done = count()

    def add(self, act: Callable[[Connection[TupleRow]], str | None]) -> None:
        """Have `act` done until the end; what it answers is a failure."""
        self._threads.append(threading.Thread(target=self._repeat, args=(act,)))

    @contextmanager
    def at_it(self) -> Generator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join(timeout=30)

    def _repeat(self, act: Callable[[Connection[TupleRow]], str | None]) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True, prepare_threshold=0) as connection:
                while not self._over.is_set():
                    if failure := act(connection):
                        self.failures.append(failure)
                    next(self.done)
        except Exception as error:  # noqa: BLE001 - each one fails the test
            self.failures.append(error)


def sees_all(connection: Connection[TupleRow]) -> str | None:
    held, visible, published = connection.execute(COMPLETE).fetchone() or (0, 0, 0)
    return None if held == visible == published else f"{held} or {visible} of {published}"


def sees_all_later(connection: Connection[TupleRow]) -> str | None:
    held, published = connection.execute(COMPLETE_LATER).fetchone() or (0, 0)
    return None if held == published else f"a function saw {held} of {published}"


def sees_all_in_one_snapshot(connection: Connection[TupleRow]) -> str | None:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SELECT pg_sleep(0.005) FROM projection_positions LIMIT 1")
        return sees_all(connection)


@pytest.mark.usefixtures("projecting")
def test_a_rebuild_under_load_fails_no_read_and_hides_no_row(
    database_url: str, log: Log, rebuilt: Rebuild
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(COUNT)
    names = rows(database_url, NAMES)
    for _ in range(200):
        publish(log, ALICE)
    settle(database_url)
    crowd = Crowd(database_url)
    for act in (sees_all, sees_all, sees_all_later, sees_all_in_one_snapshot):
        crowd.add(act)
    crowd.add(lambda _: None if publish(log, ALICE) else "nothing was published")

    with crowd.at_it():
        runs = [rebuilt(Videos()) for _ in range(4)]

    assert crowd.failures == []
    assert next(crowd.done) > 100
    assert all(is_swapped(steps) and all_equal(steps) for steps in runs)
    video = publish(log, ALICE)
    settle(database_url)
    assert rows(database_url, COMPLETE)[0][0] == rows(database_url, COMPLETE)[0][2]
    assert (video.id,) in rows(database_url, "SELECT video_id FROM videos")
    assert rows(database_url, NAMES) == names
    with psycopg.connect(database_url) as connection:
        last = connection.execute("SELECT max(position) FROM videos_retired.videos").fetchone()
        live = connection.execute("SELECT max(position) FROM videos").fetchone()
    assert (last or (0,))[0] < (live or (0,))[0]


DAMAGE = "UPDATE invitations SET code = 'DAMAGED' WHERE code = 'CODE1'"
CODES = "SELECT code FROM invitations ORDER BY position"
CONTENTS = [(f"CODE{number}",) for number in range(5)]


@pytest.fixture
def damaged(database_url: str, log: Log, projecting: None) -> None:
    assert projecting is None
    issue(log, *range(5))
    settle(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(DAMAGE)


@pytest.mark.usefixtures("damaged")
def test_a_difference_is_told_and_not_swapped_unless_it_is_accepted(
    database_url: str, log: Log, rebuilt: Rebuild
) -> None:
    with pytest.raises(Different):
        rebuilt(Invitations())
    assert ("DAMAGED",) in rows(database_url, CODES)

    steps = rebuilt(Invitations(), accept_difference=True)

    (table,) = [step for step in steps if isinstance(step, Compared)]
    assert not table.equal
    assert (table.live.rows, table.folded.rows) == (5, 5)
    assert "goes on at position 5" in str(steps[0])
    assert rows(database_url, CODES) == CONTENTS
    issue(log, 5)
    settle(database_url)
    assert rows(database_url, CODES) == [*CONTENTS, ("CODE5",)]


@pytest.mark.usefixtures("damaged")
def test_what_was_retired_comes_back_with_what_has_happened_since(
    database_url: str, log: Log, rebuilt: Rebuild, logs: dict[str, Source]
) -> None:
    rebuilt(Invitations(), accept_difference=True)
    issue(log, 5)
    settle(database_url)

    there = list(roll_back(database_url, logs["domain"], Invitations()))
    as_it_was = rows(database_url, CODES)
    issue(log, 6)
    settle(database_url)
    back = list(roll_back(database_url, logs["domain"], Invitations()))

    assert is_swapped(there)
    assert is_swapped(back)
    assert as_it_was == [("CODE0",), ("DAMAGED",), *CONTENTS[2:], ("CODE5",)]
    assert rows(database_url, CODES) == [*CONTENTS, ("CODE5",), ("CODE6",)]


def test_without_a_retired_one_there_is_nothing_to_roll_back(
    database_url: str, logs: dict[str, Source]
) -> None:
    with pytest.raises(NothingRetired):
        list(roll_back(database_url, logs["domain"], Invitations()))


@pytest.mark.usefixtures("projecting")
def test_what_could_not_be_folded_once_is_folded_by_a_rebuild(
    database_url: str, log: Log, rebuilt: Rebuild, logs: dict[str, Source]
) -> None:
    issue(log, *range(5))
    settle(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM invitations WHERE code = 'CODE1'")
        connection.execute("INSERT INTO dead_letters VALUES ('invitations', 2, 'ValueError()')")
        connection.execute("INSERT INTO dead_letters VALUES ('videos', 3, 'ValueError()')")

    with pytest.raises(Different, match="dead letters: 1 live, 0 now"):
        rebuilt(Invitations())
    rebuilt(Invitations(), accept_difference=True)
    after = rows(database_url, "SELECT projection, position FROM dead_letters ORDER BY 1, 2")
    list(roll_back(database_url, logs["domain"], Invitations()))

    assert after == [("videos", 3)]
    again = rows(database_url, "SELECT projection, position FROM dead_letters ORDER BY 1, 2")
    assert again == [("invitations", 2), ("videos", 3)]


@pytest.mark.usefixtures("projecting")
def test_every_projection_can_be_rebuilt(
    database_url: str, pool: Pool, rebuilt: Rebuild, logs: dict[str, Source]
) -> None:
    by_time = sorted(read_corpus(), key=lambda entry: entry.fields["timestamp"])
    DomainRecorder(pool).insert_events([entry.stored() for entry in by_time])
    settle(database_url)

    for projection in projections():
        steps = rebuilt(projection)

        assert is_swapped(steps), projection.name
        assert all_equal(steps), projection.name
    with psycopg.connect(database_url) as connection:
        live = [table for projection in projections() for table in projection.tables]
        moved = connection.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace",
            (live,),
        ).fetchall()
    assert {name for (name,) in moved} == set(live)
    assert all(comparison.equal for comparison in compare(database_url, logs, projections()))


def test_a_second_rebuild_of_a_projection_is_refused(
    database_url: str, logs: dict[str, Source], rebuilt: Rebuild
) -> None:
    first = rebuild(database_url, logs["domain"], Invitations())
    next(first)

    with pytest.raises(AlreadyRebuilding):
        rebuilt(Invitations())

    assert is_swapped(list(first))


def test_a_table_that_something_else_holds_on_to_is_not_rebuilt(
    database_url: str, rebuilt: Rebuild
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE VIEW codes AS SELECT code FROM invitations")

    with pytest.raises(NotMovable, match="view codes"):
        rebuilt(Invitations())


def test_a_schema_of_somebody_else_is_left_alone(database_url: str, rebuilt: Rebuild) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SCHEMA invitations_retired")

    with pytest.raises(NotMovable, match="invitations_retired"):
        rebuilt(Invitations())


def test_a_table_keeps_its_rights_and_its_options(database_url: str, rebuilt: Rebuild) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("GRANT SELECT ON invitations TO public")
        connection.execute("ALTER TABLE invitations SET (fillfactor = 80)")
    query: LiteralString = (
        "SELECT relacl::text, reloptions FROM pg_class WHERE oid = 'invitations'::regclass"
    )
    before = rows(database_url, query)

    rebuilt(Invitations())

    assert rows(database_url, query) == before


def test_a_table_that_was_altered_meanwhile_is_folded_from_the_start(
    database_url: str, logs: dict[str, Source], rebuilt: Rebuild
) -> None:
    under_way = rebuild(database_url, logs["domain"], Invitations())
    next(under_way)
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE invitations ADD COLUMN note text")

    with pytest.raises(NotMovable, match="note text"):
        list(under_way)
    steps = rebuilt(Invitations())

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
    settings: Settings, log: Log, logs: dict[str, Source]
) -> None:
    url = settings.database_url
    issue(log, *range(300))
    settle(url)
    rebuilding = Rebuilding(settings)

    rebuilding.killed_when("SELECT to_regclass('invitations_rebuilt.invitations') IS NOT NULL")
    assert all(each.equal for each in compare(url, logs, [Invitations()]))
    with psycopg.connect(url) as reader:  # keeps the swap waiting
        reader.execute("SELECT FROM invitations").fetchall()
        rebuilding.killed_when(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
            " AND relation = 'public.invitations'::regclass)"
        )
        issue(log, 300)
        settle(url)
    assert all(each.equal for each in compare(url, logs, [Invitations()]))
    told = rebuilding.to_its_end()

    assert "goes on at position 30" in told
    assert "equal" in told
    assert "swapped at 301" in told
    assert all(each.equal for each in compare(url, logs, [Invitations()]))
