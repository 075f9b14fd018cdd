"""The keeper of budgets: what advertisers set is what may be spent, whoever dies meanwhile."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.beacons import Beacon
from domain.campaign.aggregate import Campaign
from domain.line_item.aggregate import LineItem
from myriorama.application.line_items import LineItems
from myriorama.billing.budgets import follow
from myriorama.billing.leases import Lease, Leases
from myriorama.billing.spending import UNLIMITED_MICROS, drift_micros, set_cap, spending_of
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock, Pool
from myriorama.workers.budget_keeper import BudgetKeeper
from myriorama.workers.elected import Elected
from tests import advertising
from tests.billing.worlds import Market, granted

PATIENCE_S = 60.0
NOW = datetime.now(UTC)
ALICE = uuid4()


@dataclass
class House:
    """An advertiser with funds, whose line items are edited in the log."""

    log: Log
    pool: Pool
    connection: Connection[TupleRow]
    advertiser: UUID
    campaign: UUID
    line: UUID
    decisions: "count[int]" = field(default_factory=lambda: count(1))

    def item(self) -> LineItem:
        found = self.log.find(LineItem, self.line)
        assert found is not None
        return found

    def edit(self, act: Callable[[LineItem], None]) -> None:
        line_item = self.item()
        act(line_item)
        self.log.save(line_item)

    def budget(self, *, daily: int | None = None, lifetime: int) -> None:
        def change(line_item: LineItem) -> None:
            terms = replace(
                line_item.terms, daily_budget_micros=daily, lifetime_budget_micros=lifetime
            )
            line_item.edit(terms, by=ALICE, at=NOW)

        self.edit(change)

    def grant(self, wanted: int) -> Lease | None:
        return Leases(self.pool, "a").grant(self.line, wanted_micros=wanted, least_micros=1)

    def granted(self, wanted: int) -> Lease:
        """Return a lease as soon as there is one."""
        deadline = monotonic() + PATIENCE_S
        while (lease := self.grant(wanted)) is None and monotonic() < deadline:
            sleep(0.02)
        return granted(lease)

    def lifetime(self) -> list[tuple[int, int, int]]:
        """Return what is asked for, holds, and is held of the line's lifetime budget."""
        rows = spending_of(self.connection, "line", self.line)
        return [(row.budget_micros, row.cap_micros, row.held_micros) for row in rows]

    def spend(self, lease: Lease, micros: int) -> None:
        market = Market(self.pool, self.connection, self.advertiser, self.campaign, self.line)
        market.decisions = self.decisions
        market.now_ms = int(datetime.now(UTC).timestamp() * 1000)
        market.report([market.token(lease, micros)], Beacon.VIEWABLE)
        assert market.settle().micros == micros


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection[TupleRow]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def house(log: Log, pool: Pool, connection: Connection[TupleRow], projecting: None) -> House:
    assert projecting is None
    hers = advertising.advertiser(ALICE)
    campaign = advertising.campaign(hers)
    line_item = advertising.line_item(campaign, bid_micros=100_000, daily_budget_micros=None)
    for saved in (hers, campaign, line_item):
        log.save(saved)
    set_cap(connection, "advertiser", hers.id, 10**9, advertiser_id=hers.id)
    return House(log, pool, connection, hers.id, campaign.id, line_item.id)


@pytest.fixture
def keeping(house: House, database_url: str) -> Iterator[None]:
    keeper = BudgetKeeper(LineItems(house.log))
    members = [
        Elected(database_url, AdvisoryLock.BUDGETS, "budget keeper", keeper.work) for _ in range(2)
    ]
    threads = [threading.Thread(target=member.run) for member in members]
    for thread in threads:
        thread.start()
    yield
    for member in members:
        member.stop()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)


def comes_true(claim: Callable[[], Any]) -> bool:
    deadline = monotonic() + PATIENCE_S
    while not (is_true := bool(claim())) and monotonic() < deadline:
        sleep(0.02)
    return is_true


def submit(line_item: LineItem) -> None:
    line_item.submit(has_creative=True, by=ALICE, at=NOW)


def pause(line_item: LineItem) -> None:
    line_item.pause(by=ALICE, at=NOW)


def resume(line_item: LineItem) -> None:
    line_item.resume(by=ALICE, at=NOW)


def test_a_draft_is_granted_nothing_and_what_is_submitted_is(house: House, keeping: None) -> None:
    assert house.grant(100) is None
    assert keeping is None

    house.edit(submit)

    assert comes_true(lambda: house.grant(100))
    assert spending_of(house.connection, "campaign", house.campaign)[0].cap_micros == (
        UNLIMITED_MICROS
    )


def test_a_daily_budget_holds_in_the_advertisers_zone(house: House, keeping: None) -> None:
    assert keeping is None
    house.budget(daily=1_000, lifetime=100_000)

    house.edit(submit)

    assert comes_true(lambda: house.grant(100_000))
    (day,) = spending_of(house.connection, "line_day", house.line)
    now = house.connection.execute("SELECT clock_ms(), zone FROM budgeted_lines").fetchone()
    assert now is not None
    assert now[1] == "Europe/Berlin"
    assert day.cap_micros == 1_000


def test_a_budget_cut_below_what_is_held_takes_it_from_the_leases(
    house: House, keeping: None
) -> None:
    assert keeping is None
    house.budget(lifetime=100_000)
    house.edit(submit)
    assert comes_true(lambda: house.grant(20_000))
    house.grant(10_000)

    house.budget(lifetime=5_000)

    assert comes_true(lambda: house.lifetime() == [(5_000, 5_000, 5_000)])
    assert house.grant(1) is None
    assert drift_micros(house.connection) == 0


def test_a_paused_line_is_granted_nothing_and_its_budgets_are_still_followed(
    house: House, keeping: None
) -> None:
    assert keeping is None
    house.edit(submit)
    assert comes_true(lambda: house.grant(100))

    house.edit(pause)
    house.budget(daily=200, lifetime=100_000)

    assert comes_true(lambda: house.grant(1) is None)
    assert comes_true(
        lambda: spending_of(house.connection, "line_day", house.line)[0].cap_micros == 200
    )
    house.edit(resume)
    house.budget(daily=90_000, lifetime=100_000)
    assert comes_true(lambda: house.grant(1_000))


def test_a_line_that_has_spent_its_budget_is_exhausted_until_the_budget_is_raised(
    house: House, keeping: None
) -> None:
    assert keeping is None
    house.budget(lifetime=1_000)
    house.edit(submit)
    given = 0
    while given < 1_000:
        lease = house.granted(1_000)
        house.spend(lease, lease.micros)
        given += lease.micros

    assert comes_true(lambda: house.item().stage == "exhausted")
    assert house.grant(1) is None

    house.budget(lifetime=3_000)
    assert comes_true(lambda: house.grant(1))
    assert house.item().stage == "submitted"
    assert drift_micros(house.connection) == 0


def test_nothing_of_a_campaign_that_is_over_is_granted(house: House, keeping: None) -> None:
    assert keeping is None
    house.edit(submit)
    assert comes_true(lambda: house.grant(1))

    over = replace(advertising.TERMS.schedule, ends_at=NOW - timedelta(seconds=1))
    house.edit(lambda line: line.edit(replace(line.terms, schedule=over), by=ALICE, at=NOW))

    assert comes_true(lambda: house.grant(1) is None)


def test_what_is_as_it_was_set_is_not_touched(
    house: House, connection: Connection[TupleRow]
) -> None:
    keeper = BudgetKeeper(LineItems(house.log))
    house.edit(submit)
    known = "SELECT count(*) = 1 FROM line_items WHERE stage = 'submitted'"
    assert comes_true(lambda: (connection.execute(known).fetchone() or (False,))[0])
    keeper.step(connection)
    rows = "SELECT xmin::text, scope FROM spending ORDER BY scope"
    before = connection.execute(rows).fetchall()

    keeper.step(connection)

    assert connection.execute(rows).fetchall() == before
    assert {scope for _, scope in before} == {"advertiser", "campaign", "line"}


def test_who_cuts_what_is_held_raises_nothing_until_what_was_shown_for_it_is_over(
    house: House, connection: Connection[TupleRow]
) -> None:
    def followed(lifetime: int, line: UUID = house.line) -> None:
        asked = "SELECT lifetime_budget_micros FROM line_items WHERE line_item_id = %s"
        assert comes_true(lambda: connection.execute(asked, (line,)).fetchone() == (lifetime,))
        follow(connection)

    house.edit(submit)
    house.budget(lifetime=8_000)
    followed(8_000)
    house.granted(2_000)
    for cut in (1_000, 500):
        house.budget(lifetime=cut)
        followed(cut)
        assert house.lifetime() == [(cut, cut, cut)]
    campaign = house.log.find(Campaign, house.campaign)
    assert campaign is not None
    another = advertising.line_item(
        campaign, daily_budget_micros=None, lifetime_budget_micros=7_000
    )
    submit(another)
    house.log.save(another)
    house.budget(lifetime=9_000)

    followed(9_000)
    followed(7_000, another.id)
    at_once = house.lifetime(), spending_of(connection, "line", another.id)
    connection.execute("UPDATE leases SET granted_ms = 0, serves_until_ms = 0, tokens_until_ms = 0")
    follow(connection)

    assert at_once == ([(500, 500, 500)], [])
    assert house.lifetime() == [(9_000, 9_000, 500)]
    assert [each.cap_micros for each in spending_of(connection, "line", another.id)] == [7_000]
    assert drift_micros(connection) == 0
