"""Settlement: whatever is reported, each decision is charged once, never beyond any budget."""

import threading
from uuid import uuid4

import psycopg
import pytest

from ads.beacons import Beacon
from ads.lines import Kind
from ads.tokens import Tokens
from myriorama.billing.ad_events import APPEND, Reported, append_parameters
from myriorama.billing.leases import reclaim
from myriorama.billing.outbox import Outbox
from myriorama.billing.settlement import Settlement
from myriorama.store.postgres import Pool
from tests.billing.worlds import TOKENS, Market, granted

CHARGES = "SELECT count(*), coalesce(sum(micros), 0), coalesce(sum(leaked_micros), 0) FROM charges"


def charges(market: Market) -> tuple[int, ...]:
    row = market.connection.execute(CHARGES).fetchone()
    assert row is not None
    return tuple(map(int, row))


def test_a_viewable_impression_is_charged_in_all_four_budgets(market: Market) -> None:
    lease = granted(market.grant(10_000))
    market.report([market.token(lease, 4_200), market.token(lease, 1_000)])

    settled = market.settle()

    assert (settled.charged, settled.micros) == (2, 5_200)
    assert market.spent() == {5_200}
    assert market.held() == {4_800}
    assert market.drift() == 0


def test_fifty_threads_on_one_beacon_charge_it_once(market: Market, database_url: str) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200)
    row = append_parameters([Reported(Beacon.VIEWABLE, token)], now_ms=market.now_ms)
    barrier = threading.Barrier(50)

    def beacon() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            barrier.wait(timeout=60)
            connection.execute(APPEND, row)
            Settlement(connection, TOKENS).settle(now_ms=market.now_ms)

    threads = [threading.Thread(target=beacon) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert charges(market) == (1, 4_200, 0)
    assert market.spent() == {4_200}
    assert market.drift() == 0


def test_what_is_reported_twice_costs_once_in_one_batch_and_in_another(market: Market) -> None:
    lease = granted(market.grant(10_000))
    token = market.token(lease, 4_200)

    market.report([token, token])
    market.settle()
    market.report([token])
    market.settle()

    assert charges(market) == (1, 4_200, 0)


def test_other_reports_are_counted_and_cost_nothing(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200)

    for beacon in Beacon:
        market.report([token, token], beacon)
    market.settle()

    assert charges(market) == (len(Beacon), 4_200, 0)


@pytest.mark.parametrize("kind", ["cpm", "cpv", "cpc"])
def test_each_kind_of_line_is_charged_for_its_own_report(market: Market, kind: Kind) -> None:
    lease = granted(market.grant(10_000))
    token = market.token(lease, 900, kind=kind)

    market.report([token], Beacon.VIEWABLE)
    after_view = market.settle().micros
    market.report([token], Beacon.COMPLETE)
    after_end = market.settle().micros
    market.report([token], Beacon.CLICK)
    after_click = market.settle().micros

    assert [after_view, after_end, after_click] == [
        900 * (kind == k) for k in ("cpm", "cpv", "cpc")
    ]


def test_forged_tokens_and_those_of_another_key_cost_nothing(market: Market) -> None:
    lease = granted(market.grant(10_000))
    genuine = market.token(lease, 4_200)
    forged = genuine[:60] + bytes([genuine[60] ^ 1]) + genuine[61:]
    mallory = market.token(lease, 1, tokens=Tokens({1: b"a key that Mallory made of nothing"}))
    market.report([forged, mallory])

    settled = market.settle()

    assert (settled.refused, charges(market)) == (2, (0, 0, 0))


def test_a_token_is_believed_by_when_it_came_and_not_by_when_it_is_settled(market: Market) -> None:
    lease = granted(market.grant(10_000))
    in_time, late = market.token(lease, 100), market.token(lease, 100)
    market.now_ms += 599_999
    market.report([in_time])
    market.now_ms += 1
    market.report([late])
    market.now_ms += 3_600_000

    settled = market.settle()

    assert (settled.charged, settled.refused) == (1, 1)


def test_a_click_before_the_view_waits_for_it(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 900, kind="cpc")

    market.report([token], Beacon.CLICK)
    before = market.settle().micros
    market.report([token], Beacon.VIEWABLE)
    after = market.settle().micros
    market.report([token], Beacon.CLICK)
    again = market.settle().micros

    assert (before, after, again) == (0, 900, 0)
    assert market.drift() == 0


def test_a_click_and_its_view_may_come_in_any_order_of_a_batch(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 900, kind="cpc")
    market.report([token], Beacon.CLICK)
    market.report([token], Beacon.VIEWABLE)

    assert market.settle().micros == 900


def test_a_click_without_a_view_is_invalid_when_its_token_has_expired(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 900, kind="cpc")
    market.report([token], Beacon.CLICK)
    market.settle()

    given_up = Settlement(market.connection, TOKENS).give_up(settled_ms=market.now_ms + 600_000)

    assert given_up == 1
    assert charges(market) == (1, 0, 0)


def test_invalid_traffic_is_counted_and_costs_nothing(market: Market) -> None:
    token = market.token(granted(market.grant(10_000)), 4_200)

    market.report([token], mark="known_crawler")
    market.settle()

    assert charges(market) == (1, 0, 0)


def test_a_report_that_came_too_soon_does_not_make_the_true_one_free(market: Market) -> None:
    lease = granted(market.grant(10_000))
    seen, leaked = market.token(lease, 4_200), market.token(lease._replace(lease_id=10**9), 500)
    for token in (seen, leaked):
        market.report([token, token], mark="view_too_soon")
    market.settle()

    market.report([seen, seen, leaked])
    settled = market.settle()
    market.report([seen], mark="view_too_soon")
    market.settle()

    rows = market.connection.execute(
        "SELECT decision_id, mark, micros, leaked_micros FROM charges ORDER BY 1, 2 NULLS FIRST"
    ).fetchall()
    assert (settled.charged, settled.micros) == (1, 4_200)
    assert [row[1:] for row in rows] == [
        (None, 4_200, 0),
        ("view_too_soon", 0, 0),
        (None, 0, 500),
        ("view_too_soon", 0, 0),
    ]
    assert market.spent() == {4_200}
    assert market.drift() == 0


def test_clicks_beyond_what_is_held_are_charged_out_of_what_is_free_then_leak(
    market: Market,
) -> None:
    market.put_line(daily=2_500, lifetime=10_000)
    lease = granted(market.grant(1_000))
    tokens = [market.token(lease, 900, kind="cpc") for _ in range(4)]
    market.report(tokens)
    market.report(tokens, Beacon.CLICK)

    settled = market.settle()

    assert (settled.charged, settled.micros) == (2, 1_800)
    assert (settled.leaked, settled.leaked_micros) == (2, 1_800)
    assert market.spent() == {1_800}
    assert market.drift() == 0


def test_a_report_that_comes_when_its_lease_is_closed_finds_room_or_leaks(market: Market) -> None:
    market.fund(funds=2_000)
    lease = granted(market.grant(1_000, least=1_000))
    first, second, third = (market.token(lease, 700) for _ in range(3))
    market.report([first, second, third])
    reclaim(market.connection, settled_ms=lease.tokens_until_ms + 10_000)

    settled = market.settle()

    assert (settled.micros, settled.leaked_micros) == (1_400, 700)
    assert market.held() == {0}
    assert market.drift() == 0


def test_a_lease_that_was_lost_charges_nothing(market: Market) -> None:
    lease = granted(market.grant(1_000))
    market.report([market.token(lease._replace(lease_id=10**9), 500)])
    market.report([market.token(lease._replace(line_id=uuid4()), 500)])

    settled = market.settle()

    assert (settled.charged, settled.leaked_micros) == (0, 1_000)
    assert market.spent() == {0}


def test_what_is_settled_is_told_once_whoever_dies_in_between(market: Market, pool: Pool) -> None:
    lease = granted(market.grant(10_000))
    for micros in (100, 200, 300):
        market.report([market.token(lease, micros)])
        market.settle()
    outbox, other = Outbox(pool), Outbox(pool)
    outbox.publish()
    market.connection.execute("UPDATE spend_outbox SET is_recorded = false")  # it died before this

    told = [other.publish(), outbox.publish()]

    rows = market.connection.execute(
        "SELECT originator_version, (convert_from(state, 'UTF8')::json->>'micros')::bigint"
        " FROM events ORDER BY 1"
    ).fetchall()
    assert rows == [(1, 100), (2, 200), (3, 300)]
    assert told == [0, 0]
    outbox.close()
    other.close()


def test_a_batch_is_settled_whole_or_not_at_all(market: Market) -> None:
    lease = granted(market.grant(10_000))
    market.report([market.token(lease, 100)])

    with market.connection.transaction(force_rollback=True):
        market.settle()  # and the process dies before it commits
    settled = market.settle()

    assert settled.micros == 100
    assert charges(market) == (1, 100, 0)
