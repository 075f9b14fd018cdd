"""Leases: out of all four budgets, for a day, taken back late enough, and cut when a budget is."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.errors import CheckViolation

from myriorama.billing.leases import SERVES_MS, SKEW_MS, TOKEN_LIFE_MS, Leases, reclaim
from myriorama.billing.spending import set_cap
from tests.billing.worlds import NOON_MS, Market, granted

SCOPES = ("advertiser", "campaign", "line", "line_day")


def ms(instant: str) -> int:
    return round(datetime.fromisoformat(f"{instant}+00:00").timestamp() * 1000)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_lease_is_no_larger_than_what_any_of_the_budgets_has_left(
    market: Market, scope: str
) -> None:
    caps = {name: 900 if name == scope else 100_000 for name in SCOPES}
    market.fund(
        caps["advertiser"], campaign=caps["campaign"], line=caps["line"], daily=caps["line_day"]
    )

    first, second = market.grant(5_000, least=900), market.grant(5_000)

    assert granted(first).micros == 900
    assert second is None
    assert market.held() == {900}


def test_no_server_is_given_more_than_a_quarter_of_what_is_left(market: Market) -> None:
    market.fund(funds=1_000)

    sizes = [granted(market.grant(10_000)).micros for _ in range(3)]

    assert sizes == [250, 187, 140]


def test_a_budget_cannot_be_exceeded_by_any_statement(market: Market) -> None:
    market.fund(funds=1_000)
    granted(market.grant(1_000, least=1_000))

    with pytest.raises(CheckViolation):
        market.connection.execute("UPDATE spending SET spent_micros = spent_micros + 1")


def test_what_has_no_budget_or_is_not_known_is_granted_nothing(market: Market) -> None:
    set_cap(
        market.connection,
        "advertiser",
        market.advertiser_id,
        0,
        advertiser_id=market.advertiser_id,
    )

    assert market.grant(1) is None
    assert market.grant(1, line_id=market.advertiser_id) is None


def test_what_is_given_back_twice_comes_back_once(market: Market) -> None:
    lease = granted(market.grant(10_000))
    leases = Leases(market.pool, "a")

    for _ in range(2):
        leases.give_back(lease.lease_id, issued_micros=3_000)

    assert market.held() == {3_000}
    assert market.drift() == 0


def test_a_lease_is_not_taken_back_before_its_last_token_has_expired(market: Market) -> None:
    lease = granted(market.grant(10_000))
    last_ms = market.now_ms + SERVES_MS + TOKEN_LIFE_MS

    early = reclaim(market.connection, settled_ms=last_ms + SKEW_MS)
    late = reclaim(market.connection, settled_ms=last_ms + SKEW_MS + 1)

    assert (lease.tokens_until_ms, early, late) == (last_ms, 0, 10_000)
    assert market.held() == {0}


def test_a_lease_waits_for_what_was_reported_and_is_not_settled_yet(market: Market) -> None:
    lease = granted(market.grant(10_000))
    market.now_ms = lease.tokens_until_ms - 1
    market.report([market.token(lease, 4_000), market.token(lease, 4_000)])
    market.now_ms += 3_600_000  # the settler was away for an hour

    first = market.settle(at_once=1)
    reclaim(market.connection, settled_ms=first.until_ms)
    second = market.settle()
    reclaim(market.connection, settled_ms=market.settle().until_ms)

    assert first.micros + second.micros == 8_000
    assert (market.held(), market.spent()) == ({0}, {8_000})


def test_a_cut_below_what_is_held_takes_from_the_newest_leases(market: Market) -> None:
    old, new = granted(market.grant(4_000)), granted(market.grant(4_000))

    market.put_line(daily=1_000_000, lifetime=5_000)

    assert market.held() == {5_000}
    market.report([market.token(new, 900), market.token(new, 900), market.token(old, 4_000)])
    settled = market.settle()
    assert (settled.micros, settled.leaked_micros) == (4_900, 900)
    assert market.drift() == 0


def test_nothing_is_charged_beyond_a_budget_from_the_moment_it_is_cut(market: Market) -> None:
    lease = granted(market.grant(8_000))
    tokens = [market.token(lease, 1_000) for _ in range(8)]
    market.report(tokens[:3])
    market.settle()

    market.put_line(daily=1_000_000, lifetime=2_000)
    market.report(tokens)
    settled = market.settle()

    assert (settled.micros, settled.leaked_micros) == (0, 5_000)
    assert (market.held(), market.spent()) == ({0}, {3_000})
    assert market.grant(1) is None


def test_a_budget_that_is_raised_again_goes_on(market: Market) -> None:
    lease = granted(market.grant(8_000))
    market.report([market.token(lease, 3_000)])
    market.settle()
    market.put_line(daily=1_000_000, lifetime=1_000)

    market.put_line(daily=1_000_000, lifetime=4_000)

    assert granted(market.grant(8_000, least=1_000)).micros == 1_000


def test_a_daily_budget_is_of_the_advertisers_day(market: Market) -> None:
    market.zone = "Europe/Berlin"
    market.fund(daily=1_000)
    market.now_ms = ms("2026-11-22T22:59:58")

    before = granted(market.grant(1_000, least=1_000))
    market.now_ms = ms("2026-11-22T23:00:00")
    after = granted(market.grant(1_000, least=1_000))

    assert before.serves_ms == 2_000  # it ends with its day
    assert after.day == before.day + 1


def test_a_token_charges_the_day_of_its_decision(market: Market) -> None:
    market.zone = "Europe/Berlin"
    market.put_line(daily=1_000, lifetime=100_000)
    market.now_ms = ms("2026-11-22T22:59:58")
    token = market.token(granted(market.grant(1_000, least=1_000)), 1_000)

    market.now_ms = ms("2026-11-22T23:05:00")
    market.report([token])
    market.settle()

    days = [row for row in market.spending() if row.scope == "line_day"]
    assert [(row.day, row.spent_micros) for row in days] == [
        (datetime(2026, 11, 22, tzinfo=UTC).toordinal(), 1_000)
    ]
    assert granted(market.grant(1_000, least=1_000)).micros == 1_000


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        # 25 hours, of which one comes twice; 23 hours; a midnight that is left out; and one that
        # clocks are set back over, to the day before.
        ("Europe/Berlin", "2026-10-24T22:00:00", "2026-10-25T22:59:59"),
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29T21:59:59"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00", "2018-11-05T01:59:59"),
        ("America/St_Johns", "2010-11-07T02:30:00", "2010-11-08T03:29:59"),
    ],
)
def test_one_budget_lasts_for_all_of_a_day_whatever_clocks_are_set_to(
    market: Market, zone: str, before: str, after: str
) -> None:
    market.zone, market.now_ms = zone, ms(before)
    market.fund(daily=1_000)
    granted(market.grant(1_000, least=1_000))

    market.now_ms = ms(after)
    within = market.grant(1)
    market.now_ms += 1_000
    behind = market.grant(1)

    assert within is None
    assert behind is not None


def test_a_cut_of_the_day_holds_from_today_on(market: Market) -> None:
    lease = granted(market.grant(8_000))
    market.report([market.token(lease, 1_000) for _ in range(8)])

    market.put_line(daily=3_000, lifetime=1_000_000)
    settled = market.settle()

    assert (settled.micros, settled.leaked_micros) == (3_000, 5_000)


def test_funds_that_are_set_twice_are_there_once(market: Market) -> None:
    market.fund(funds=5_000)
    market.fund(funds=5_000)

    assert granted(market.grant(10_000, least=5_000)).micros == 5_000


def test_servers_that_ask_at_once_share_what_there_is(market: Market, database_url: str) -> None:
    market.fund(funds=10_000)
    sizes = list[int]()

    def ask() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for _ in range(10):
                lease = Leases(market.pool, "b").granted(
                    connection, market.line_id, 800, 100, zone="UTC", now_ms=NOON_MS
                )
                sizes.append(lease.micros if lease else 0)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert market.held() == {sum(sizes)}
    assert 9_900 < sum(sizes) <= 10_000
    assert market.drift() == 0
