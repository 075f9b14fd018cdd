"""Drift: what disagrees is found where something moved, and stays told until it agrees."""

from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from ads.beacons import Beacon
from myriorama.billing.credits import credit
from myriorama.billing.drift import Drift
from myriorama.store.postgres import Pool
from tests.billing.worlds import Market, granted

BROKEN: tuple[LiteralString, ...] = (
    "UPDATE leases SET spent_micros = spent_micros + 7, amount_micros = amount_micros + 7",
    "UPDATE leases SET amount_micros = amount_micros + 7 WHERE is_open",
    "UPDATE charges SET micros = micros + 7 WHERE decision_id = %s",
    "UPDATE spending SET spent_micros = spent_micros + 7 WHERE scope = 'line_day'",
    "UPDATE spending SET held_micros = held_micros + 7 WHERE scope = 'line'",
    "UPDATE spending SET spent_micros = spent_micros + 7 WHERE scope = 'campaign'",
    "UPDATE spending SET held_micros = held_micros + 7 WHERE scope = 'advertiser'",
)
NAMES = ("lease", "lease_held", "charge", "line_day", "line", "campaign", "advertiser")


@pytest.fixture
def market(database_url: str, pool: Pool) -> Iterator[Market]:
    """A market of today, with three charges, of which one is credited, and an open lease."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        market = Market(pool, connection)
        (market.now_ms,) = connection.execute("SELECT clock_ms()").fetchone() or (0,)
        market.fund()
        charge(market)
        credit(connection, [(UUID(int=2), Beacon.VIEWABLE)], reason="viewer_volume")
        yield market


def charge(market: Market, line_id: UUID | None = None) -> None:
    lease = granted(market.grant(10_000, line_id=line_id))
    market.report([market.token(lease, 1_000) for _ in range(3)])
    market.settle()


def test_what_was_charged_credited_and_leased_in_order_is_no_drift(market: Market) -> None:
    other = uuid4()
    market.put_line(daily=1_000_000, lifetime=1_000_000, line_id=other)
    drift = Drift(market.connection)

    before = drift.look()
    charge(market, other)

    assert (before, drift.look(), market.drift()) == (0, 0, 0)


@pytest.mark.parametrize("broken", BROKEN, ids=NAMES)
def test_what_disagrees_is_found_as_the_whole_finds_it(
    market: Market, broken: LiteralString
) -> None:
    drift = Drift(market.connection)
    drift.look()

    market.connection.execute(broken, (UUID(int=1),) if "%s" in broken else None)

    assert drift.look() == market.drift() > 0


def test_what_disagrees_is_told_until_it_agrees(market: Market) -> None:
    close(market)
    drift = Drift(market.connection)
    drift.look()
    spent = "UPDATE spending SET spent_micros = spent_micros + %s WHERE scope = 'line_day'"
    market.connection.execute(spent, (7,))

    told = [drift.look() for _ in range(3)]
    market.connection.execute(spent, (-7,))

    assert told == [7, 7, 7]
    assert drift.look() == 0


def test_a_day_in_which_nothing_moves_is_not_looked_at_again(market: Market) -> None:
    drift = Drift(market.connection)
    close(market)

    first, second = drift.moved(), drift.moved()
    charge(market)
    third = drift.moved()

    assert len(first) == 1
    assert second == frozenset()
    assert third == first


def close(market: Market) -> None:
    market.connection.execute(
        "SELECT shrink_leases(array_agg(lease_id), array_agg(0), true) FROM leases"
    )
