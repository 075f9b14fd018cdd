"""The sample of recorded auctions that a day is forecast from."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.record import AdRecord, Auction, Context
from ads.viewer import Viewer
from myriorama.feed.ad_recordings import Recordings
from myriorama.store.postgres import AdvisoryLock

ALICE = Viewer(pseudonym=1, country="DE", shown_ms={uuid4().int: (5,)})
NOW_MS = int(datetime.now(UTC).timestamp() * 1000)

SERVE = """
    SELECT append_slates(%s, gen_random_uuid(), ARRAY[gen_random_uuid()], ARRAY[gen_random_uuid()],
                         ARRAY['for_you'], ARRAY[NULL::bigint], ARRAY[0], ARRAY[]::uuid[],
                         ARRAY[NULL::text], ARRAY[%s])
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection[TupleRow]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def serve(connection: Connection[TupleRow], *, share: float = 0.5, whole: bool = True) -> None:
    auction = Auction(
        at_ms=NOW_MS,
        version=1,
        reason="sold",
        exact=True,
        seed=1,
        rules="",
        share=share,
        context=Context(ALICE, ()) if whole else None,
    )
    with connection.transaction():
        connection.execute("SET LOCAL ROLE myriorama_recorder")
        connection.execute(SERVE, (AdvisoryLock.VIEW_LOG, AdRecord(auction).encode()))


def test_a_page_that_was_recorded_whole_stands_for_those_that_were_not(
    connection: Connection[TupleRow],
) -> None:
    serve(connection, share=0.25)
    serve(connection, whole=False)
    recordings = Recordings()

    recordings.refresh(connection)

    (page,) = recordings.opportunities()
    assert (page.at_ms, page.weight, page.viewer.country) == (NOW_MS, 4.0, "DE")


def test_what_is_recorded_later_is_read_once(connection: Connection[TupleRow]) -> None:
    recordings = Recordings()
    serve(connection)
    recordings.refresh(connection)
    serve(connection)

    recordings.refresh(connection)
    recordings.refresh(connection)

    assert len(recordings.opportunities()) == 2


def test_however_many_are_recorded_few_are_kept_and_stand_for_all(
    connection: Connection[TupleRow],
) -> None:
    recordings = Recordings(kept_max=20)
    for _ in range(100):
        serve(connection, share=1.0)

    recordings.refresh(connection)

    kept = recordings.opportunities()
    assert 0 < len(kept) <= 20
    assert 30 < sum(page.weight for page in kept) < 300
