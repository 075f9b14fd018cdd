"""The view log: every report once, in an order that a reader by position can trust."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.viewing.events import VideoViewed
from myriorama.store.postgres import Pool
from myriorama.store.viewlog import Batch, Receipt, SequenceReused, Viewing, Views
from projections.projection import Window

TOPICS = (VideoViewed.TOPIC,)
ALICE = uuid4()


def batch(
    sequence: int = 0, *, viewer_id: UUID = ALICE, views: int = 3, digest: bytes = b"d"
) -> Batch:
    viewings = [Viewing(uuid4(), uuid4(), watched_ms=n, loops=0) for n in range(views)]
    return Batch(viewer_id, UUID(int=7), sequence, digest, viewings)


def test_a_batch_is_read_as_it_was_stored(pool: Pool) -> None:
    views, alices = Views(pool), batch()

    assert views.append(alices) == Receipt(3, duplicate=False)

    window = views.read(0, 10, TOPICS)
    assert window.upto == views.head() == 3
    assert [recorded.position for recorded in window.events] == [1, 2, 3]
    assert [recorded.event for recorded in window.events] == [
        VideoViewed(ALICE, v.video_id, v.decision_id, UUID(int=7), 0, v.watched_ms, v.loops)
        for v in alices.viewings
    ]


def test_a_repetition_is_stored_once_and_another_batch_of_its_number_never(pool: Pool) -> None:
    views = Views(pool)
    views.append(batch())

    assert views.append(batch()) == Receipt(3, duplicate=True)
    with pytest.raises(SequenceReused):
        views.append(batch(digest=b"another"))
    assert views.append(batch(viewer_id=uuid4())).duplicate is False
    assert views.head() == 6


def test_a_repetition_at_the_same_time_is_stored_once(pool: Pool) -> None:
    views = Views(pool)

    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(views.append, [batch()] * 8))

    assert sorted(receipt.duplicate for receipt in receipts) == [False] + [True] * 7
    assert views.head() == 3


def test_who_reads_by_position_while_many_write_misses_nothing(pool: Pool) -> None:
    views, read = Views(pool), list[int]()

    with ThreadPoolExecutor(6) as threads:
        writing = [threads.submit(views.append, batch(n, views=1 + n % 5)) for n in range(120)]
        while not (done := all(w.done() for w in writing)) or len(read) < views.head():
            window = views.read(read[-1] if read else 0, 7, TOPICS)
            read += [recorded.position for recorded in window.events]

    assert done
    assert read == list(range(1, sum(1 + n % 5 for n in range(120)) + 1))


def test_what_nobody_asks_for_is_passed_over(pool: Pool) -> None:
    views = Views(pool)
    views.append(batch())

    assert views.read(0, 10, ["account.opened"]) == Window([], 3)


@pytest.mark.parametrize("change", ["UPDATE viewings SET loops = 9", "DELETE FROM viewings"])
def test_what_was_watched_is_not_changed(pool: Pool, change: str) -> None:
    Views(pool).append(batch())

    with pool.connection() as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute(change.encode())
