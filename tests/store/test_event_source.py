"""Who follows the domain log by position sees every event once, in order, readable or not."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.invitation.aggregate import Invitation
from domain.invitation.events import InvitationIssued
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.projection import Window
from tests.foreign_events import insert

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPICS = (InvitationIssued.TOPIC,)


@pytest.fixture
def source(pool: Pool) -> EventSource:
    return EventSource(pool)


def issue(log: Log, *codes: str) -> None:
    for code in codes:
        log.save(Invitation.issue(code, issuer_id=UUID(int=1), at=NOON))


def codes(window: Window) -> Sequence[str]:
    return [recorded.event.code for recorded in window.events]


def test_a_reader_by_position_misses_nothing_that_many_writers_write(
    log: Log, source: EventSource
) -> None:
    writers, each = 4, 50
    seen: list[int] = []
    done = threading.Event()

    def write(writer: int) -> None:
        issue(log, *(f"W{writer}N{number}" for number in range(each)))

    def read() -> None:
        after = 0
        while not (done.is_set() and after == source.head()):
            window = source.read(after, 7, TOPICS)
            seen.extend(recorded.position for recorded in window.events)
            after = window.upto

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(write, range(writers)))
    done.set()
    reader.join(timeout=120)

    assert seen == list(range(1, writers * each + 1))


def test_a_window_is_as_long_as_asked_for_and_ends_with_the_log(
    log: Log, source: EventSource
) -> None:
    issue(log, "FIRST", "SECOND", "THIRD")

    first, last, none = (source.read(after, 2, TOPICS) for after in (0, 2, 3))

    assert (codes(first), first.upto) == (["FIRST", "SECOND"], 2)
    assert (codes(last), last.upto) == (["THIRD"], 3)
    assert none == Window([], 3)
    assert source.head() == 3


def test_an_empty_log_has_an_empty_window(source: EventSource) -> None:
    assert source.head() == 0
    assert source.read(0, 10, TOPICS) == Window([], 0)


def test_a_window_reaches_past_events_that_do_not_matter(log: Log, source: EventSource) -> None:
    issue(log, "FIRST")

    assert source.read(0, 10, ["account.opened"]) == Window([], 1)


def test_an_event_that_nobody_can_read_is_told_and_hides_no_other(
    log: Log, pool: Pool, source: EventSource
) -> None:
    issue(log, "FIRST")
    insert(pool, "{}", "no JSON", '{"class_version": "x"}')
    issue(log, "LAST")

    window = source.read(0, 10, TOPICS)

    assert (codes(window), window.upto) == (["FIRST", "LAST"], 5)
    assert [(one.position, one.newer) for one in window.unreadable] == [
        (2, False),
        (3, False),
        (4, False),
    ]


def test_an_event_of_a_newer_release_is_told_as_such(pool: Pool, source: EventSource) -> None:
    issuer, at = UUID(int=1), NOON.isoformat()
    insert(
        pool,
        f'{{"class_version": 99, "originator_topic": "invitation", "code": "NEW",'
        f' "issuer_id": "{issuer}", "timestamp": "{at}"}}',
        '{"class_version": 99}',
    )

    window = source.read(0, 10, TOPICS)

    assert codes(window) == []
    assert [(one.position, one.topic, one.newer) for one in window.unreadable] == [
        (1, InvitationIssued.TOPIC, True),
        (2, InvitationIssued.TOPIC, True),
    ]
