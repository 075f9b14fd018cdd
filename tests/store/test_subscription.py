"""A subscriber sees every event, once, in order, however slow they are and whatever is lost."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import Notification

from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from tests.store.recording import happened

_INSERT = """
    INSERT INTO events (position, originator_id, originator_version, topic, state)
    SELECT max(position) + 1, %s, 1, 'invitation.issued', '{}' FROM events
"""


class Watched(DomainRecorder):
    """Notes from where on it is read, and how much of it at once."""

    reads: list[tuple[int | None, int]]

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.reads = []

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        self.reads.append((start, limit))
        return super().select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )


@pytest.fixture
def recorder(pool: Pool) -> Iterator[Watched]:
    with closing(Watched(pool)) as recorder:
        yield recorder


def test_a_subscriber_slower_than_the_writers_misses_nothing_and_holds_one_page(
    recorder: Watched,
) -> None:
    def write(_: int) -> None:
        stream = uuid4()
        for version in range(0, 1500, 5):
            recorder.insert_events([happened(stream, version + n) for n in range(5)])

    with ThreadPoolExecutor(2) as writers, recorder.subscribe() as subscription:
        writing = [writers.submit(write, n) for n in range(2)]
        seen = [notification.id for notification in islice(subscription, 10)]
        for each in writing:
            each.result(60)
        read_meanwhile = len(recorder.reads)
        seen += [notification.id for notification in islice(subscription, 2990)]

    assert seen == list(range(1, 3001))
    assert read_meanwhile <= 10
    assert {limit for _, limit in recorder.reads} == {500}


def test_what_is_recorded_while_somebody_waits_is_seen(recorder: DomainRecorder) -> None:
    with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as threads:
        for position in range(1, 21):
            waiting = threads.submit(next, subscription)
            recorder.insert_events([happened()])

            assert waiting.result(10).id == position


def test_what_nobody_was_told_of_is_seen_all_the_same(
    recorder: DomainRecorder, database_url: str
) -> None:
    recorder.insert_events([happened()])
    with recorder.subscribe(gt=1) as subscription, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(next, subscription)
        with psycopg.connect(database_url, autocommit=True) as untold:
            while not listeners(untold):
                pass
            untold.execute("SET ROLE myriorama_recorder")
            untold.execute(_INSERT, (uuid4(),))

        assert waiting.result(10).id == 2


def test_a_subscription_goes_on_when_its_connections_were_lost(
    recorder: DomainRecorder, database_url: str
) -> None:
    with (
        recorder.subscribe() as subscription,
        ThreadPoolExecutor(1) as threads,
        psycopg.connect(database_url, autocommit=True) as superuser,
    ):
        for position in range(1, 4):
            waiting = threads.submit(next, subscription)
            while not listeners(superuser):
                pass
            superuser.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            recorder.insert_events([happened()])

            assert waiting.result(20).id == position


def test_topics_that_do_not_matter_are_read_once(recorder: Watched) -> None:
    recorder.insert_events([happened(topic="of.no.interest") for _ in range(50)])
    recorder.insert_events([happened(topic="of.interest")])
    with recorder.subscribe(topics=["of.interest"]) as subscription:
        assert next(subscription).id == 51

        recorder.insert_events([happened(topic="of.no.interest") for _ in range(50)])
        recorder.insert_events([happened(topic="of.interest")])
        assert next(subscription).id == 102

    starts = [start or 0 for start, _ in recorder.reads]
    assert starts[0] == 0
    assert min(starts[1:]) >= 51


def test_who_waits_is_let_go_when_the_subscription_is_stopped(recorder: DomainRecorder) -> None:
    stopped = threading.Event()
    with recorder.subscribe() as subscription:

        def wait() -> None:
            assert list(subscription) == []
            stopped.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        subscription.stop()
        waiting.join(10)

    assert stopped.is_set()


def listeners(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE query = 'LISTEN events' AND datname = current_database()"
    ).fetchone()
    assert row
    return int(row[0])
