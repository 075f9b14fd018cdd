"""The view log: every report once, in an order that a reader by position can trust."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.viewing.events import SlateServed, VideoViewed
from myriorama.store import viewlog
from myriorama.store.postgres import AdvisoryLock, Pool
from myriorama.store.view_source import ViewSource
from myriorama.store.viewlog import Batch, Receipt, SequenceReused, Viewing, Views
from tests.forking import FORKED
from tests.viewing import ALICE, AUCTIONED, DECIDED, append, batch, served

TOPICS = (SlateServed.TOPIC, VideoViewed.TOPIC)

OF_WRITERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%append_viewings%%' AND pid <> %s"


def positions(source: ViewSource) -> list[int]:
    return [recorded.position for recorded in source.read(0, 1_000_000, TOPICS).events]


def test_a_batch_is_read_as_it_was_stored(database_url: str, source: ViewSource) -> None:
    alices = batch()

    assert append(database_url, [alices]) == [Receipt(3, duplicate=False)]

    window = source.read(0, 10, TOPICS)
    assert window.upto == source.head() == 3
    assert [recorded.position for recorded in window.events] == [1, 2, 3]
    assert [recorded.event for recorded in window.events] == [
        VideoViewed(ALICE, v.video_id, v.decision_id, UUID(int=7), 0, v.watched_ms, v.loops)
        for v in alices.viewings
    ]


def test_a_page_that_was_served_is_read_as_it_was(database_url: str, source: ViewSource) -> None:
    first, second = served(2, ranking=DECIDED, ads=AUCTIONED), served(0, before=70)

    append(database_url, [], [first, second])

    ids = tuple(UUID(bytes=video_id) for video_id in first.video_ids)
    assert [recorded.event for recorded in source.read(0, 10, TOPICS).events] == [
        SlateServed(UUID(bytes=first.decision_id), ALICE, "latest", None, ids, DECIDED, AUCTIONED),
        SlateServed(UUID(bytes=second.decision_id), ALICE, "latest", 70, ()),
    ]


def test_a_repetition_is_stored_once_and_another_batch_of_its_number_never(
    database_url: str, source: ViewSource
) -> None:
    alices = batch()
    append(database_url, [alices])

    assert append(database_url, [alices]) == [Receipt(3, duplicate=True)]
    with pytest.raises(SequenceReused):
        append(database_url, [batch(digest=b"another")])
    assert append(database_url, [batch(viewer_id=uuid4())]) == [Receipt(3, duplicate=False)]
    assert source.head() == 6


def test_a_repetition_at_the_same_time_is_stored_once(
    database_url: str, source: ViewSource
) -> None:
    receipts = append(database_url, [batch()] * 8 + [batch(1)])

    assert sorted(receipt.duplicate for receipt in receipts) == [False] * 2 + [True] * 7
    assert source.head() == 6


@pytest.mark.parametrize(
    "bad",
    [
        Viewing(ALICE, ALICE, watched_ms=-1, loops=0),
        Viewing(ALICE, ALICE, watched_ms=0, loops=2**31),
        Viewing(ALICE, "no ID", watched_ms=0, loops=0),  # type: ignore[arg-type]  # that is the test
    ],
)
def test_a_batch_that_cannot_be_stored_is_in_nobodys_way(
    database_url: str, source: ViewSource, bad: Viewing
) -> None:
    async def report(views: Views) -> list[Receipt | BaseException]:
        wrong = Batch(ALICE, UUID(int=7), 5, b"", [batch().viewings[0], bad])
        batches = [batch(0), wrong, batch(1)]
        return await asyncio.gather(*map(views.append, batches), return_exceptions=True)

    with Views(database_url) as views:
        first, wrong, last = asyncio.run(report(views))

    assert first == last == Receipt(3, duplicate=False)
    assert isinstance(wrong, psycopg.DataError)
    assert source.head() == 6


def test_a_batch_that_postgresql_refuses_is_in_nobodys_way(
    pool: Pool, database_url: str, source: ViewSource
) -> None:
    with pool.connection() as connection:
        connection.execute("ALTER TABLE viewings ADD CHECK (watched_ms <> 77)")

    async def report(views: Views) -> list[Receipt | BaseException]:
        wrong = Batch(ALICE, UUID(int=7), 5, b"", [Viewing(ALICE, ALICE, 77, 0)])
        batches = [*map(batch, range(4)), wrong, *map(batch, range(10, 14))]
        return await asyncio.gather(*map(views.append, batches), return_exceptions=True)

    with Views(database_url) as views:
        outcomes = asyncio.run(report(views))

    assert isinstance(outcomes.pop(4), psycopg.errors.CheckViolation)
    assert outcomes == [Receipt(3, duplicate=False)] * 8
    assert positions(source) == list(range(1, 25))


def write(url: str, process: int, batches: int) -> None:
    """Write from a process of its own: batches of 1 to 5 viewings, every third one twice."""
    own = [batch(n, viewer_id=UUID(int=process + 9), views=1 + n % 5) for n in range(batches)]
    append(url, own + own[::3], [served() for _ in range(200)])


def test_who_reads_by_position_while_many_processes_write_misses_nothing(
    database_url: str, source: ViewSource
) -> None:
    writers = [FORKED.Process(target=write, args=(database_url, n, 200)) for n in range(3)]
    for writer in writers:
        writer.start()

    read = list[int]()
    while (writing := any(w.is_alive() for w in writers)) or len(read) < source.head():
        window = source.read(read[-1] if read else 0, 7, TOPICS)
        read += [recorded.position for recorded in window.events]

    assert not writing
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert read == list(range(1, 3 * (200 * 3 + 200) + 1))


def test_a_writer_that_is_killed_leaves_no_gap_and_nothing_half(
    database_url: str, source: ViewSource
) -> None:
    writer = FORKED.Process(target=write, args=(database_url, 0, 7_000))
    writer.start()
    while source.head() < 3_000:
        time.sleep(0.001)

    writer.kill()
    writer.join()

    own = [batch(n, viewer_id=UUID(int=9), views=1 + n % 5) for n in range(3_000)]
    assert any(receipt.duplicate for receipt in append(database_url, own))
    found = source.read(0, 1_000_000, [VideoViewed.TOPIC]).events
    of_sequence = [0] * 7_000
    for recorded in found:
        of_sequence[recorded.event.sequence] += 1
    assert all(of_sequence[n] in {0, 1 + n % 5} for n in range(7_000))
    assert positions(source) == list(range(1, source.head() + 1))


def test_a_connection_lost_in_mid_commit_neither_loses_nor_doubles(
    pool: Pool, database_url: str, source: ViewSource
) -> None:
    stopping = threading.Event()

    def cut_off() -> None:
        while not stopping.wait(0.02):
            with suppress(psycopg.OperationalError), pool.connection() as connection:
                pid = connection.info.backend_pid
                rows = connection.execute(OF_WRITERS, (pid,)).fetchall()
                for row in rows:
                    connection.execute("SELECT pg_terminate_backend(%s)", row)

    async def report(views: Views) -> None:
        for round_ in range(60):
            views.offer(served())
            batches = [batch(n, viewer_id=UUID(int=round_ + 9)) for n in range(20)]
            receipts = await asyncio.gather(*map(views.append, batches))
            assert [receipt.accepted for receipt in receipts] == [3] * 20

    cutting = threading.Thread(target=cut_off)
    cutting.start()
    with Views(database_url) as views:
        asyncio.run(report(views))
    stopping.set()
    cutting.join()

    slates = source.read(0, 100_000, [SlateServed.TOPIC]).events
    assert len(slates) == len({recorded.event.decision_id for recorded in slates}) == 60
    assert positions(source) == list(range(1, 60 * 61 + 1))


def test_an_append_whose_answer_is_lost_is_answered_once_it_is_found(
    pool: Pool, database_url: str, source: ViewSource
) -> None:
    with pool.connection() as connection:
        # The commit gets through; its answer does not, once.
        connection.execute("CREATE SEQUENCE once")
        connection.execute("""
            CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                IF nextval('once') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                RETURN NULL;
            END $$
        """)
        connection.execute("""
            CREATE CONSTRAINT TRIGGER cut_off AFTER INSERT ON view_appends DEFERRABLE
            INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut_off()
        """)

    receipts = append(database_url, [batch(n) for n in range(3)])

    assert receipts == [Receipt(3, duplicate=False)] * 3
    assert positions(source) == list(range(1, 10))


def test_time_stands_still_where_the_clock_jumps_back(
    database_url: str, source: ViewSource, set_clock: Callable[[int], None]
) -> None:
    for n, days in enumerate([0, 9, -40, 10, 0]):
        set_clock(days)
        append(database_url, [batch(n)], [served()])

    events = source.read(0, 100, TOPICS).events
    times = [recorded.recorded_at for recorded in events]
    assert [recorded.position for recorded in events] == list(range(1, 21))
    assert times == sorted(times)
    assert (times[-1] - times[0]).days >= 9
    assert source.head() == 20


def test_a_full_queue_drops_pages_and_counts_them_but_keeps_nobody_waiting(
    database_url: str, source: ViewSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewlog, "SLATES_MAX", 5)
    views = Views(database_url)

    for _ in range(9):
        views.offer(served())
    with views:
        pass

    assert source.head() == 5


def test_pages_are_logged_without_anybody_asking(database_url: str, source: ViewSource) -> None:
    with Views(database_url) as views, psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN viewings")

        views.offer(served())

        assert next(listener.notifies(timeout=120)).channel == "viewings"
        assert source.head() == 1


def test_who_reports_while_the_log_is_held_by_another_is_told_to_come_again(
    database_url: str, source: ViewSource
) -> None:
    with (
        psycopg.connect(f"{database_url} application_name=somebody", autocommit=True) as somebody,
        Views(f"{database_url} options='-c lock_timeout=50'") as views,
    ):
        somebody.execute("SELECT pg_advisory_lock(%s)", (AdvisoryLock.VIEW_LOG,))

        with pytest.raises(psycopg.OperationalError):
            asyncio.run(asyncio.wait_for(views.append(batch()), 30))
        somebody.execute("SELECT pg_advisory_unlock_all()")

        assert asyncio.run(views.append(batch(1))) == Receipt(3, duplicate=False)
    assert source.head() == 3


def test_a_log_that_is_closed_takes_nothing(database_url: str) -> None:
    views = Views(database_url)

    with pytest.raises(psycopg.OperationalError):
        asyncio.run(views.append(batch()))


REFUSED = [
    change.format(table)
    for table in ("viewings", "slates", "viewings_unforeseen", "view_appends", "viewing_batches")
    for change in (
        "DELETE FROM {}",
        "TRUNCATE {}",
        "INSERT INTO {0} SELECT * FROM {0}",
        "UPDATE {} SET recorded_at = now()",
    )
]


@pytest.mark.parametrize("change", REFUSED)
def test_what_was_watched_is_not_changed(pool: Pool, database_url: str, change: str) -> None:
    append(database_url, [batch()])

    refused = (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege)
    with pool.connection() as connection, pytest.raises(refused):
        connection.execute(change.encode())
