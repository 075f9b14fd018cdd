"""What nothing is on record of is charged to nobody; what is on record late is charged once."""

from uuid import UUID, uuid4

import pytest

from ads.beacons import Beacon
from myriorama.billing.leases import reclaim
from myriorama.billing.settlement import Settlement
from myriorama.billing.waiting import RECORD_MS
from tests.billing.worlds import TOKENS, Market, granted

CHARGES = "SELECT beacon, micros, mark FROM charges ORDER BY beacon, mark NULLS FIRST"
BATCHES = "SELECT batch FROM charges ORDER BY batch"
WAITING = "SELECT count(*) FROM waiting_reports"
APPEND = """
    INSERT INTO view_appends (last_position, recorded_at, append_id)
    VALUES (%s, to_timestamp(%s / 1000.0), %s)
"""
PROJECT = """
    INSERT INTO projection_positions (name, position) VALUES ('ad_decisions', %s)
    ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""


def charges(market: Market) -> list[tuple[int, int, str | None]]:
    return market.connection.execute(CHARGES).fetchall()


def waiting(market: Market) -> int:
    (count,) = market.connection.execute(WAITING).fetchone() or (0,)
    return int(count)


def append(market: Market, at_ms: int) -> None:
    """Append to the view log what is not projected yet."""
    market.connection.execute(PROJECT, (0,))
    market.connection.execute("SET ROLE myriorama_recorder")
    market.connection.execute(APPEND, (5, at_ms, uuid4()))
    market.connection.execute("RESET ROLE")


def test_a_report_ahead_of_its_record_is_charged_once_when_that_comes(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200, is_recorded=False)
    market.report([token, token])

    before = market.settle().micros
    market.record(UUID(int=1))
    after = [market.settle().micros for _ in range(2)]
    market.report([token])
    again = market.settle().micros

    assert (before, after, again) == (0, [4_200, 0], 0)
    assert charges(market) == [(1, 4_200, None)]
    assert (market.spent(), market.held(), market.drift()) == ({4_200}, {5_800}, 0)


def test_what_comes_with_its_record_in_between_is_counted_once(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200, is_recorded=False)
    market.report([token])
    market.settle()
    market.record(UUID(int=1))

    market.report([token])
    settled = market.settle()

    assert (settled.charged, settled.micros, waiting(market)) == (1, 4_200, 0)
    assert charges(market) == [(1, 4_200, None)]


def test_a_report_whose_record_never_comes_is_free_and_marked(market: Market) -> None:
    lease = granted(market.grant(10_000))
    token = market.token(lease, 4_200, is_recorded=False)
    market.report([token])
    market.report([token], Beacon.CLICK)
    market.settle()

    market.now_ms += RECORD_MS - 1
    early = market.settle()
    market.now_ms += 1
    late = market.settle()
    rest = market.settle()

    assert early.reports == 0
    assert (late.charged, late.micros, rest.reports) == (0, 0, 0)
    assert charges(market) == [(1, 0, "unrecorded"), (8, 0, "unrecorded")]
    assert (market.spent(), waiting(market), market.drift()) == ({0}, 0, 0)


def test_a_record_that_comes_too_late_lets_later_reports_be_charged(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200, is_recorded=False)
    market.report([token])
    market.settle()
    market.now_ms += RECORD_MS
    market.settle()
    market.record(UUID(int=1))

    market.report([token, token])
    settled = market.settle()

    assert settled.micros == 4_200
    assert charges(market) == [(1, 4_200, None), (1, 0, "unrecorded")]


def test_nothing_is_given_up_while_the_read_side_is_behind(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200, is_recorded=False)
    append(market, market.now_ms + RECORD_MS - 1)
    market.report([token])
    market.settle()
    market.now_ms += 10 * RECORD_MS

    behind = market.settle()
    waits = waiting(market)
    market.connection.execute(PROJECT, (5,))
    market.settle()

    assert (behind.reports, waits) == (0, 1)
    assert charges(market) == [(1, 0, "unrecorded")]


def test_a_lease_and_an_early_click_wait_for_the_record_too(market: Market) -> None:
    lease = granted(market.grant(1_000, least=1_000))
    token = market.token(lease, 700, kind="cpc", is_recorded=False)
    append(market, market.now_ms)
    market.report([token], Beacon.CLICK)
    market.report([token], Beacon.VIEWABLE)
    market.settle()
    market.now_ms = lease.tokens_until_ms + 60_000

    settled = market.settle()
    reclaim(market.connection, settled_ms=settled.until_ms)
    Settlement(market.connection, TOKENS).give_up(settled_ms=settled.until_ms)
    held = market.held()
    market.record(UUID(int=1))
    market.settle()

    assert held == {1_000}
    assert charges(market) == [(1, 0, None), (8, 700, None)]
    assert market.drift() == 0


def test_a_click_waits_for_its_record_and_then_for_its_view(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 900, kind="cpc", is_recorded=False)
    market.report([token], Beacon.CLICK)
    market.settle()
    market.record(UUID(int=1))
    recorded = market.settle().micros

    market.report([token])
    viewed = market.settle().micros

    assert (recorded, viewed, waiting(market)) == (0, 900, 0)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_who_is_killed_while_reports_are_let_go_has_done_nothing(
    market: Market, *, is_recorded: bool
) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200, is_recorded=False)
    market.report([token])
    market.settle()
    if is_recorded:
        market.record(UUID(int=1))
    market.now_ms += RECORD_MS

    with market.connection.transaction(force_rollback=True):
        market.settle()
    waits = waiting(market)
    market.settle()

    assert waits == 1
    assert charges(market) == [(1, 4_200, None) if is_recorded else (1, 0, "unrecorded")]
    assert market.spent() == {4_200 * is_recorded}


def test_of_clicks_that_came_early_each_is_charged_when_its_own_view_has_come(
    market: Market,
) -> None:
    lease = granted(market.grant(10_000))
    first, second = (market.token(lease, 900, kind="cpc") for _ in range(2))
    market.report([first], Beacon.CLICK)
    market.settle()
    market.report([first])
    market.report([second], Beacon.CLICK)
    market.settle()

    market.report([second])
    settled = market.settle()

    assert settled.micros == 900
    assert market.spent() == {1_800}


def test_what_waited_is_of_a_batch_of_its_own(market: Market) -> None:
    lease = granted(market.grant(10_000))
    recorded, late = market.token(lease, 100), market.token(lease, 200, is_recorded=False)
    market.report([recorded, late])
    market.settle()

    market.record(UUID(int=2))
    market.settle()

    assert market.connection.execute(BATCHES).fetchall() == [(2,), (3,)]


def test_what_is_invalid_anyway_does_not_wait(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200, is_recorded=False)
    market.report([token], mark="crawler")

    market.settle()

    assert charges(market) == [(1, 0, "crawler")]
