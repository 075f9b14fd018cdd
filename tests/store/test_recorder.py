"""Many record at once, in one commit, and each is judged alone."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from myriorama.store.causation import Cause, cause
from myriorama.store.postgres import Pool
from myriorama.store.recorder import CommandRepeated, DomainRecorder
from tests.store.recording import happened, standstill, stored, waiting_recorder

ALICE, BOB = UUID(int=1), UUID(int=2)


@pytest.fixture
def recorder(pool: Pool) -> Iterator[DomainRecorder]:
    recorder = DomainRecorder(pool)
    yield recorder
    recorder.close()


def test_commands_that_come_while_others_commit_share_one_commit(
    recorder: DomainRecorder, database_url: str
) -> None:
    with standstill(database_url):
        recordings = [recorder.submit([happened(), happened()]) for _ in range(10)]
        assert not any(recording.done() for recording in recordings)

    positions = [position for recording in recordings for position in recording.result(10)]
    assert positions == list(range(1, 21))
    with psycopg.connect(database_url) as connection:
        commits = connection.execute("SELECT count(DISTINCT xmin::text) FROM events").fetchone()
    assert commits == (1,)


def test_a_conflict_fails_the_command_that_has_it_and_no_neighbour(
    recorder: DomainRecorder, database_url: str
) -> None:
    taken = happened()
    recorder.insert_events([taken])

    with standstill(database_url):
        before = recorder.submit([happened()])
        late = recorder.submit([happened(), taken])
        after = recorder.submit([happened(), happened()])

    with pytest.raises(IntegrityError):
        late.result(10)
    assert (before.result(10), after.result(10)) == ([2], [3, 4])
    assert [position for position, *_ in stored(database_url)] == [1, 2, 3, 4]


def test_what_cannot_be_stored_fails_alone(recorder: DomainRecorder, database_url: str) -> None:
    with standstill(database_url):
        before = recorder.submit([happened()])
        wrong = recorder.submit([happened(topic="no\0topic")])
        after = recorder.submit([happened()])

    with pytest.raises(psycopg.DataError):
        wrong.result(10)
    assert (before.result(10), after.result(10)) == ([1], [2])


def test_what_is_no_event_is_refused_before_it_meets_others(recorder: DomainRecorder) -> None:
    with pytest.raises(psycopg.DataError):
        recorder.insert_events([happened(version=2**63)])

    assert recorder.insert_events([happened()]) == [1]


def test_of_two_in_a_batch_who_take_the_same_version_the_first_has_it(
    recorder: DomainRecorder, database_url: str
) -> None:
    with standstill(database_url):
        first = recorder.submit([happened(ALICE)])
        second = recorder.submit([happened(ALICE)])

    assert first.result(10) == [1]
    with pytest.raises(IntegrityError):
        second.result(10)


def test_a_guard_is_judged_on_what_the_same_batch_wrote(
    recorder: DomainRecorder, database_url: str
) -> None:
    recorder.insert_events([happened(ALICE)])

    with standstill(database_url):
        read_before = recorder.submit([happened()], expect={ALICE: 1})
        changed = recorder.submit([happened(ALICE, 2)])
        outdated = recorder.submit([happened()], expect={ALICE: 1})

    assert (read_before.result(10), changed.result(10)) == ([2], [3])
    with pytest.raises(IntegrityError, match="changed"):
        outdated.result(10)


def test_a_guard_may_rest_on_what_the_same_batch_wrote(
    recorder: DomainRecorder, database_url: str
) -> None:
    with standstill(database_url):
        changed = recorder.submit([happened(ALICE)])
        read_after = recorder.submit([happened()], expect={ALICE: 1})

    assert (changed.result(10), read_after.result(10)) == ([1], [2])


def test_a_guard_holds_if_the_neighbour_who_would_have_changed_it_failed(
    recorder: DomainRecorder, database_url: str
) -> None:
    recorder.insert_events([happened(ALICE)])

    with standstill(database_url):
        failed = recorder.submit([happened(ALICE, 2)], expect={BOB: 7})
        guarded = recorder.submit([happened()], expect={ALICE: 1, BOB: 0})

    with pytest.raises(IntegrityError):
        failed.result(10)
    assert guarded.result(10) == [2]


def test_a_command_twice_in_a_batch_is_applied_once_and_told_where(
    recorder: DomainRecorder, database_url: str
) -> None:
    command_id = uuid4()
    with standstill(database_url):
        first = submit_as(recorder, Cause(command_id=command_id), 3)
        again = submit_as(recorder, Cause(command_id=command_id), 2)

    assert first.result(10) == [1, 2, 3]
    with pytest.raises(CommandRepeated) as repeated:
        again.result(10)
    assert list(repeated.value.positions) == [1, 2, 3]
    assert len(stored(database_url)) == 3


def test_a_command_that_comes_again_later_is_told_its_first_positions(
    recorder: DomainRecorder, pool: Pool
) -> None:
    command_id = uuid4()
    recorder.insert_events([happened()])
    submit_as(recorder, Cause(command_id=command_id), 2).result(10)

    with pytest.raises(CommandRepeated) as repeated:
        submit_as(DomainRecorder(pool), Cause(command_id=command_id), 1).result(10)

    assert list(repeated.value.positions) == [2, 3]
    assert repeated.value.command_id == command_id


def test_a_command_that_was_refused_may_come_again(recorder: DomainRecorder) -> None:
    command_id = uuid4()
    present = cause.set(Cause(command_id=command_id))
    with pytest.raises(IntegrityError):
        recorder.insert_events([happened()], expect={ALICE: 1})

    assert recorder.insert_events([happened()], expect={ALICE: 0}) == [1]
    cause.reset(present)


def test_who_caused_it_learns_its_position_before_the_answer(recorder: DomainRecorder) -> None:
    by_bob = Cause(actor_id=BOB, request_id="r-1")

    submit_as(recorder, by_bob, 2).result(10)

    assert by_bob.position == 2


def test_each_command_of_a_batch_keeps_its_own_cause(
    recorder: DomainRecorder, database_url: str
) -> None:
    with standstill(database_url):
        recordings = [
            submit_as(recorder, Cause(actor_id=ALICE, request_id="r-1", traceparent="00-a"), 1),
            submit_as(recorder, Cause(), 1),
            submit_as(recorder, Cause(actor_id=BOB), 1),
        ]

    assert [recording.result(10) for recording in recordings] == [[1], [2], [3]]
    with psycopg.connect(database_url) as connection:
        noted = connection.execute(
            "SELECT actor_id, request_id, traceparent FROM events ORDER BY position"
        ).fetchall()
    assert noted == [(ALICE, "r-1", "00-a"), (None, None, None), (BOB, None, None)]


@pytest.mark.parametrize("size", [255, 256, 5000])
def test_many_events_of_one_command_stand_together_however_many(
    recorder: DomainRecorder, database_url: str, size: int
) -> None:
    with standstill(database_url):
        recordings = [
            recorder.submit([happened(stream, n + 1) for n in range(size)])
            for stream in (ALICE, BOB)
        ]

    assert recordings[0].result(10) == list(range(1, size + 1))
    assert recordings[1].result(10) == list(range(size + 1, 2 * size + 1))
    assert [(i, v) for _, i, v in stored(database_url)] == [
        (stream, n + 1) for stream in (ALICE, BOB) for n in range(size)
    ]


def test_a_conflict_among_many_events_fails_their_command_alone(
    recorder: DomainRecorder, database_url: str
) -> None:
    recorder.insert_events([happened(ALICE, 300)])

    with standstill(database_url):
        late = recorder.submit([happened(ALICE, n + 1) for n in range(300)])
        after = recorder.submit([happened(BOB, n + 1) for n in range(300)])

    with pytest.raises(IntegrityError):
        late.result(10)
    assert after.result(10) == list(range(2, 302))


def test_threads_that_wait_and_callers_that_do_not_share_the_log(
    recorder: DomainRecorder, database_url: str
) -> None:
    def wait_for_each(_: int) -> list[int]:
        return [p for _ in range(25) for p in recorder.insert_events([happened()]) or ()]

    def submit_all(_: int) -> list[int]:
        recordings = [recorder.submit([happened()]) for _ in range(25)]
        return [p for recording in recordings for p in recording.result(30)]

    with ThreadPoolExecutor(8) as threads:
        found = [
            *threads.map(wait_for_each, range(4)),
            *threads.map(submit_all, range(4)),
        ]

    assert sorted(p for part in found for p in part) == list(range(1, 201))
    assert [position for position, *_ in stored(database_url)] == list(range(1, 201))


def test_what_is_cancelled_before_its_turn_is_not_recorded(
    recorder: DomainRecorder, database_url: str
) -> None:
    with standstill(database_url):
        given_up = recorder.submit([happened(ALICE)])
        kept = recorder.submit([happened(BOB)])
        assert given_up.cancel()

    assert kept.result(10) == [1]
    assert [(p, i) for p, i, _ in stored(database_url)] == [(1, BOB)]


def test_nothing_to_record_needs_no_database(pool: Pool) -> None:
    recorder = DomainRecorder(pool)

    assert recorder.insert_events([]) is None
    assert recorder.submit([]).result(0) == []


def test_who_closes_waits_for_what_is_on_its_way_and_refuses_the_rest(
    recorder: DomainRecorder, database_url: str
) -> None:
    with standstill(database_url) as holder:
        accepted = recorder.submit([happened()])
        waiting_recorder(holder)
        closing = threading.Thread(target=recorder.close)
        closing.start()
    closing.join(10)

    assert accepted.result(0) == [1]
    with pytest.raises(psycopg.OperationalError):
        recorder.insert_events([happened()])
    assert_no_thread_stays()


def test_a_recorder_whose_pool_was_closed_refuses(pool: Pool) -> None:
    recorder = DomainRecorder(pool)
    recorder.insert_events([happened()])
    pool.close()

    with pytest.raises(psycopg.OperationalError):
        recorder.insert_events([happened()])
    with pytest.raises(psycopg.OperationalError):
        recorder.submit([happened()]).result(10)


def test_a_recorder_that_nobody_has_any_more_leaves_neither_thread_nor_connection(
    pool: Pool, database_url: str
) -> None:
    DomainRecorder(pool).submit([happened()]).result(10)

    assert_no_thread_stays()
    with psycopg.connect(database_url, autocommit=True) as connection:
        while recorders(connection):
            pass


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET topic = ''",
        "DELETE FROM events",
        "TRUNCATE events",
        "INSERT INTO events SELECT * FROM events",
        "INSERT INTO commands VALUES (gen_random_uuid(), 1, now(), 1)",
    ],
)
def test_nobody_writes_into_the_log_but_the_recorder(
    recorder: DomainRecorder, database_url: str, change: str
) -> None:
    recorder.insert_events([happened()])

    with psycopg.connect(database_url, autocommit=True) as superuser:
        refused = (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege)
        with pytest.raises(refused, match="refused"):
            superuser.execute(change.encode())

    assert len(stored(database_url)) == 1


def test_nobody_copies_into_the_log_but_the_recorder(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as superuser:
        copying = superuser.cursor().copy("COPY events FROM STDIN")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), copying as copy:
            copy.write(b"1\n")

    assert stored(database_url) == []


def submit_as(recorder: DomainRecorder, by: Cause, count: int) -> Future[Sequence[int]]:
    token = cause.set(by)
    try:
        return recorder.submit([happened() for _ in range(count)])
    finally:
        cause.reset(token)


def recorders(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'myriorama recorder' AND datname = current_database()"
    ).fetchone()
    assert row
    return int(row[0])


def assert_no_thread_stays() -> None:
    """Threads that lead for others end by themselves, a moment after there is nothing to do."""
    leading = [thread for thread in threading.enumerate() if thread.name == "group commit"]
    for thread in leading:
        thread.join(10)
    assert not any(thread.is_alive() for thread in leading)
