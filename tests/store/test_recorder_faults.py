"""What was acknowledged is in the log, once, whatever becomes of the connection meanwhile."""

import os
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from typing import Literal
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError
from psycopg import sql

from myriorama.store.append_connection import AppendConnection
from myriorama.store.appends import Append, AwaitedAppend, Outcome
from myriorama.store.causation import Cause, cause
from myriorama.store.event_source import EventSource
from myriorama.store.postgres import Pool, open_pool
from myriorama.store.recorder import CommandRepeated, DomainRecorder
from tests.store.recording import RECORDER, happened, standstill, stored, waiting_recorder
from tests.store.severed import Moment, SeveredWay, severed_way

ALICE, BOB = UUID(int=1), UUID(int=2)


@pytest.fixture
def severed(database_url: str) -> Generator[tuple[SeveredWay, DomainRecorder]]:
    """A recorder whose way to the server can be severed; it has recorded one event."""
    with (
        severed_way(database_url) as (way, url),
        open_pool(url, size_max=1) as pool,
        closing(DomainRecorder(pool, patience_s=3)) as recorder,
    ):
        recorder.insert_events([happened()])
        yield way, recorder


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("size", [1, 300])
def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_doubled(
    severed: tuple[SeveredWay, DomainRecorder], database_url: str, moment: Moment, size: int
) -> None:
    way, recorder = severed
    with standstill(database_url) as holder:
        recordings = [recorder.submit([happened() for _ in range(size)]) for _ in range(3)]
        waiting_recorder(holder)
        way.sever(moment, b"COMMIT")

    assert [p for recording in recordings for p in recording.result(20)] == list(
        range(2, 2 + 3 * size)
    )
    assert way.severed.is_set()
    assert [p for p, *_ in stored(database_url)] == list(range(1, 2 + 3 * size))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_with_refusals_whose_answer_is_lost_is_judged_as_before(
    severed: tuple[SeveredWay, DomainRecorder], database_url: str, moment: Moment
) -> None:
    way, recorder = severed
    command_id = uuid4()
    with standstill(database_url) as holder:
        first = submit_as(recorder, Cause(command_id=command_id), ALICE)
        late = recorder.submit([happened(ALICE)])
        last = recorder.submit([happened(BOB)])
        waiting_recorder(holder)
        # The first attempt meets the conflict; the second commits with a plain query.
        way.sever(moment, b"Q\0\0\0\x0bCOMMIT\0")

    assert (first.result(20), last.result(20)) == ([2], [3])
    assert way.severed.is_set()
    with pytest.raises(IntegrityError):
        late.result(20)
    assert [(p, i) for p, i, _ in stored(database_url)][1:] == [(2, ALICE), (3, BOB)]
    with pytest.raises(CommandRepeated):
        submit_as(recorder, Cause(command_id=command_id), uuid4()).result(10)


def test_what_another_records_meanwhile_is_not_taken_for_ours(
    severed: tuple[SeveredWay, DomainRecorder], database_url: str, pool: Pool
) -> None:
    way, recorder = severed
    same = happened(ALICE)
    with standstill(database_url) as holder:
        ours = recorder.submit([same])
        waiting_recorder(holder)
        way.sever("before", b"COMMIT", for_ever=True)
    assert way.severed.wait(10)
    with closing(DomainRecorder(pool)) as other:
        assert other.insert_events([same]) == [2]
    way.sever("before", b"no such word")

    with pytest.raises(IntegrityError):
        ours.result(20)
    assert len(stored(database_url)) == 2


def test_who_waits_is_told_when_the_server_stays_away(
    severed: tuple[SeveredWay, DomainRecorder], database_url: str
) -> None:
    way, recorder = severed
    with standstill(database_url) as holder:
        in_doubt = recorder.submit([happened(ALICE)])
        waiting_recorder(holder)
        way.sever("after", b"COMMIT", for_ever=True)
    assert way.severed.wait(10)
    waiting = recorder.submit([happened(BOB)])

    with pytest.raises(psycopg.OperationalError, match="perhaps"):
        in_doubt.result(30)
    with pytest.raises(psycopg.OperationalError, match="nothing was recorded"):
        waiting.result(30)
    way.sever("before", b"no such word")
    assert recorder.insert_events([happened()]) == [3]
    assert [i for _, i, _ in stored(database_url)][1] == ALICE


def test_a_connection_that_was_lost_while_idle_is_replaced(pool: Pool, database_url: str) -> None:
    with closing(DomainRecorder(pool)) as recorder:
        recorder.insert_events([happened()])
        with psycopg.connect(database_url, autocommit=True) as superuser:
            terminate(superuser)

        assert recorder.insert_events([happened()]) == [2]


def test_a_connection_that_is_lost_in_the_queue_for_the_lock_loses_nothing(
    pool: Pool, database_url: str
) -> None:
    with closing(DomainRecorder(pool)) as recorder:
        with standstill(database_url) as holder:
            recordings = [recorder.submit([happened()]) for _ in range(3)]
            for _ in range(3):
                terminate(holder, waiting_recorder(holder))

        assert [recording.result(20) for recording in recordings] == [[1], [2], [3]]
    assert len(stored(database_url)) == 3


def test_a_connection_that_is_lost_while_it_inserts_loses_nothing(
    pool: Pool, database_url: str
) -> None:
    with closing(DomainRecorder(pool)) as recorder, psycopg.connect(database_url) as other:
        other.execute("SET ROLE myriorama_recorder")
        other.execute(
            "INSERT INTO events (position, originator_id, originator_version, topic, state)"
            " VALUES (99, %s, 1, 'a', '')",
            (ALICE,),
        )
        recording = recorder.submit([happened(ALICE)])
        with psycopg.connect(database_url, autocommit=True) as superuser:
            terminate(superuser, waiting_recorder(superuser))
            terminate(superuser, waiting_recorder(superuser))
        other.rollback()

        assert recording.result(20) == [1]
    assert len(stored(database_url)) == 1


def test_a_process_that_stops_while_it_holds_the_lock_is_shut_out(
    pool: Pool, database_url: str
) -> None:
    stopped = AppendConnection(pool)
    ours = AwaitedAppend([happened(ALICE)], None, Cause())
    stopping, resumed = threading.Event(), threading.Event()

    def stop() -> list[Append]:
        stopping.set()
        assert resumed.wait(60)
        return [ours]

    with ThreadPoolExecutor(1) as threads, closing(stopped):
        appending = threads.submit(stopped.append, stop)
        assert stopping.wait(10)
        with closing(DomainRecorder(pool)) as other:
            others = other.insert_events([happened(BOB)])
        resumed.set()
        appending.result(20)

    assert others == [1]
    assert ours.positions() == [2]
    assert [(p, i) for p, i, _ in stored(database_url)] == [(1, BOB), (2, ALICE)]


class Interrupted(AwaitedAppend):
    """Whoever leads is interrupted when they are about to answer this one."""

    interrupted = False

    def settle(self, outcome: Outcome) -> None:
        if not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        super().settle(outcome)


def test_who_is_interrupted_while_leading_leaves_their_batch_to_the_next(
    pool: Pool, database_url: str
) -> None:
    batch: list[Append] = [
        first := AwaitedAppend([happened()], None, Cause()),
        second := Interrupted([happened(ALICE)], None, Cause()),
        third := AwaitedAppend([happened(BOB)], None, Cause()),
    ]
    with closing(AppendConnection(pool)) as connection:
        with pytest.raises(KeyboardInterrupt):
            connection.append(lambda: batch)
        assert connection.unfinished

        connection.append(lambda: batch)

    assert [each.positions() for each in (first, second, third)] == [[1], [2], [3]]
    assert [i for _, i, _ in stored(database_url)][1:] == [ALICE, BOB]


def test_a_clock_that_jumps_back_changes_no_order(pool: Pool, database_url: str) -> None:
    with closing(DomainRecorder(pool)) as recorder, recorder.subscribe() as subscription:
        for hours in (0, -24, 1, -1):
            with clock_set(database_url, hours):
                recorder.insert_events([happened()])

        seen = [next(subscription).id for _ in range(4)]
    assert seen == [1, 2, 3, 4]
    window = EventSource(pool).read(0, 10, ["invitation.issued"])
    assert window.upto == 4
    with psycopg.connect(database_url) as connection:
        times = connection.execute("SELECT recorded_at FROM events ORDER BY position").fetchall()
    assert times != sorted(times)


def test_a_long_transaction_of_somebody_else_holds_up_neither_writers_nor_readers(
    pool: Pool, database_url: str
) -> None:
    with closing(DomainRecorder(pool)) as recorder, psycopg.connect(database_url) as somebody:
        somebody.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        somebody.execute("SELECT pg_current_xact_id(), count(*) FROM events")
        with recorder.subscribe() as subscription:
            for _ in range(100):
                recorder.insert_events([happened()])

            assert [next(subscription).id for _ in range(100)] == list(range(1, 101))
        assert EventSource(pool).head() == 100
        assert somebody.execute("SELECT count(*) FROM events").fetchone() == (0,)


def test_a_process_that_was_forked_appends_over_a_connection_of_its_own(
    pool: Pool, database_url: str
) -> None:
    with closing(DomainRecorder(pool)) as recorder:
        recorder.insert_events([happened()])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                recorder.submit([happened(ALICE)]).result(10)
                recorder.insert_events([happened(BOB)])
                recorder.close()
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)

        assert status == 0
        assert recorder.insert_events([happened()]) == [4]
    assert [i for _, i, _ in stored(database_url)][1:3] == [ALICE, BOB]


def terminate(superuser: psycopg.Connection, pid: int | None = None) -> None:
    """End the session of a recorder, and return when it is gone."""
    superuser.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE application_name = %s AND pid = coalesce(%s::int, pid)"
        " AND datname = current_database()",
        (RECORDER, pid),
    )


@contextmanager
def clock_set(url: str, hours: int) -> Generator[None]:
    """Let the server's clock be wrong by so many hours, as far as the log reads it."""
    change = f"ALTER TABLE events ALTER recorded_at SET DEFAULT clock_timestamp() + '{hours:d}h'"
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(change.encode())
    yield


def submit_as(recorder: DomainRecorder, by: Cause, stream: UUID) -> Future[Sequence[int]]:
    token = cause.set(by)
    try:
        return recorder.submit([happened(stream)])
    finally:
        cause.reset(token)


def test_a_server_that_only_reads_is_left_for_one_that_writes(
    pool: Pool, database_url: str
) -> None:
    with closing(DomainRecorder(pool, patience_s=20)) as recorder:
        recorder.insert_events([happened()])
        only_reads(database_url, "on")
        recording = recorder.submit([happened()])
        wait([recording], timeout=0.5)
        assert not recording.done()

        only_reads(database_url, "off")

        assert recording.result(20) == [2]


def test_who_appends_where_nobody_writes_is_told_in_the_end(pool: Pool, database_url: str) -> None:
    with closing(DomainRecorder(pool, patience_s=0.2)) as recorder:
        only_reads(database_url, "on")

        with pytest.raises(psycopg.OperationalError, match="recorded"):
            recorder.insert_events([happened()])

    assert stored(database_url) == []


def test_a_read_set_that_cannot_be_is_refused_at_once(pool: Pool) -> None:
    with closing(DomainRecorder(pool)) as recorder, pytest.raises(psycopg.DataError):
        recorder.insert_events([happened()], expect={ALICE: 2**63})


def only_reads(url: str, whether: Literal["on", "off"]) -> None:
    """Let all sessions that begin from now on, and those that append, write or not."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(
                name, sql.SQL(whether)
            )
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
            " AND datname = current_database()",
            (RECORDER,),
        )
