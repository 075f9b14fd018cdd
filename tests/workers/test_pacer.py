"""The pacer over PostgreSQL: what it publishes is told, and a second one takes over."""

import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.line_item.aggregate import LineItem
from myriorama.application.line_items import LineItems
from myriorama.billing.pacing import PlannedDay, keep_days, plans, publish, published
from myriorama.billing.spending import set_cap
from myriorama.feed.ad_recordings import Recordings
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock
from myriorama.workers.budget_keeper import BudgetKeeper
from myriorama.workers.elected import Elected
from myriorama.workers.pacer import Pacer
from tests import advertising

PATIENCE_S = 60.0
ALICE = uuid4()
NOW = datetime.now(UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection[TupleRow]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def line(log: Log, connection: Connection[TupleRow], projecting: None) -> LineItem:
    """A line that may spend, of an advertiser with funds."""
    assert projecting is None
    hers = advertising.advertiser(ALICE)
    campaign = advertising.campaign(hers)
    line_item = advertising.line_item(campaign)
    line_item.submit(has_creative=True, by=ALICE, at=NOW)
    for saved in (hers, campaign, line_item):
        log.save(saved)
    set_cap(connection, "advertiser", hers.id, 10**9, advertiser_id=hers.id)
    keeper = BudgetKeeper(LineItems(log))
    # A line and its campaign are projected one after the other: both have a budget by then.
    may_spend = """
        SELECT count(*) FROM budgeted_lines b
        JOIN spending s ON s.scope = 'campaign' AND s.id = b.campaign_id WHERE b.may_spend
    """

    def kept() -> bool:
        keeper.step(connection)
        return connection.execute(may_spend).fetchone() == (1,)

    assert comes_true(kept)
    return line_item


@contextmanager
def pacing(url: str) -> Generator[Elected]:
    pacer = Elected(url, AdvisoryLock.PACER, "pacer", Pacer(Recordings(), every_s=0.05).work)
    thread = threading.Thread(target=pacer.run)
    thread.start()
    try:
        yield pacer
    finally:
        pacer.stop()
        thread.join(timeout=PATIENCE_S)


def comes_true(claim: Any) -> bool:
    deadline = monotonic() + PATIENCE_S
    while not (is_true := bool(claim())) and monotonic() < deadline:
        sleep(0.02)
    return is_true


def test_a_line_that_may_spend_is_planned_and_its_bid_is_told(
    line: LineItem, connection: Connection[TupleRow], database_url: str
) -> None:
    connection.execute("LISTEN ad_pacing")

    with pacing(database_url):
        (told,) = connection.notifies(timeout=PATIENCE_S, stop_after=1)

    multipliers = "SELECT line_id, multiplier, published FROM ad_pacing"
    assert connection.execute(multipliers).fetchall() == [(line.id, 1.0, int(told.payload))]
    plan = plans(connection)[line.id]
    assert (plan.mode, plan.budget_micros, len(plan.shape)) == ("even", 10_000_000, 49)
    told_day = "SELECT budget_micros, planned[cardinality(planned)] FROM pacing_days"
    assert connection.execute(told_day).fetchall() == [(10_000_000, 10_000_000)]


def test_another_pacer_takes_over_when_the_first_is_gone(
    line: LineItem, connection: Connection[TupleRow], database_url: str
) -> None:
    paced = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'myriorama pacer'"

    with ExitStack() as both:
        first = both.enter_context(pacing(database_url))
        assert comes_true(lambda: published(connection))
        both.enter_context(pacing(database_url))
        assert comes_true(lambda: connection.execute(paced).fetchone() == (2,))
        first.stop()
        assert comes_true(lambda: connection.execute(paced).fetchone() == (1,))
        connection.execute("DELETE FROM pacing_plans")
        connection.execute("UPDATE line_items SET pacing = 'front'")

        assert comes_true(lambda: line.id in plans(connection))

    assert plans(connection)[line.id].mode == "front"


def test_a_pacer_whose_session_is_ended_begins_again(
    line: LineItem, connection: Connection[TupleRow], database_url: str
) -> None:
    ended = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'myriorama pacer'
    """

    with pacing(database_url):
        assert comes_true(lambda: published(connection))
        connection.execute(ended)
        connection.execute("DELETE FROM pacing_plans")
        connection.execute("UPDATE line_items SET pacing = 'front'")

        assert comes_true(lambda: line.id in plans(connection))


def test_each_publication_has_a_later_version(connection: Connection[TupleRow]) -> None:
    one, other = uuid4(), uuid4()

    first = publish(connection, {one: 0.5, other: 0.25})
    second = publish(connection, {one: 0.4})

    assert second > first
    assert published(connection) == {one: 0.4, other: 0.25}


def test_what_is_over_stays_as_it_was_planned(connection: Connection[TupleRow]) -> None:
    line_id, kept = uuid4(), "SELECT planned, multipliers FROM pacing_days"
    first = PlannedDay(line_id, 1, "even", 9, 1, [None, 2, 6, 9], [None, 0.5, None])
    later = PlannedDay(line_id, 1, "even", 8, 2, [None, None, 4, 8], [None, None, 0.25])

    keep_days(connection, [first])
    keep_days(connection, [later])

    assert connection.execute(kept).fetchall() == [([None, 2, 6, 8], [None, 0.5, 0.25])]
