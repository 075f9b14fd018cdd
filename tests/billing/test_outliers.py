"""Crowds that are none: what was charged for them is given back, once."""

import tracemalloc
from uuid import UUID

from ads.beacons import Beacon
from myriorama.billing.outliers import credit_outliers
from tests.billing.worlds import Market, granted

ALICE, MALLORY = UUID(int=1000), UUID(int=9999)

SHOW = """
    INSERT INTO ad_decisions
    SELECT %(id)s, clock_timestamp(), %(viewer)s, gen_random_uuid(), 'for_you', 0, 3, %(line)s,
           gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'cpm', 100, 100, 1, 0, 0, 0,
           0.5, 0.1, 0.5, 1, 1, 1, NULL, NULL, '{}', 0, 1, 'sold', true, '', 1
"""

SHOW_MANY = """
    INSERT INTO ad_decisions
    SELECT gen_random_uuid(), clock_timestamp(), %(viewer)s, gen_random_uuid(), 'for_you', 0, 3,
           %(line)s, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'cpm', 100, 100, 1,
           0, 0, 0, 0.5, 0.1, 0.5, 1, 1, 1, NULL, NULL, '{}', 0, 1, 'sold', true, '', 1
    FROM generate_series(1, %(times)s)
"""


def show(market: Market, viewer: UUID, times: int, *, micros: int = 100, clicks: int = 0) -> None:
    """Show an ad so often, see each, and click on some."""
    lease = granted(market.grant(micros * times, least=micros * times))
    for n in range(times):
        token = market.token(lease, micros, is_recorded=False)
        decision_id = UUID(bytes=token[1:17])
        shown = {"id": decision_id, "viewer": viewer, "line": market.line_id}
        market.connection.execute(SHOW, shown)
        market.report([token])
        if n < clicks:
            market.report([token], Beacon.CLICK)
    market.settle()


def crowd(market: Market) -> None:
    """Let thirty people each see some thirty ads."""
    for n in range(30):
        show(market, UUID(int=ALICE.int + n), 25 + n % 10)


def test_a_viewer_who_sees_a_hundred_times_as_much_is_credited_once(market: Market) -> None:
    crowd(market)
    before = market.spent()
    show(market, MALLORY, 2_000)

    credited = [credit_outliers(market.connection) for _ in range(2)]

    assert credited == [{"viewer_volume": 200_000}, {}]
    assert market.spent() == before
    assert market.drift() == 0


def test_a_viewer_who_clicks_on_everything_is_credited(market: Market) -> None:
    crowd(market)
    show(market, MALLORY, 40, clicks=40)

    assert credit_outliers(market.connection) == {"viewer_clicks": 4_000}


def test_a_crowd_in_which_nobody_stands_out_pays(market: Market) -> None:
    crowd(market)

    assert credit_outliers(market.connection) == {}


def test_where_nothing_was_shown_nothing_is_credited(market: Market) -> None:
    assert credit_outliers(market.connection) == {}


def test_what_is_held_to_find_them_grows_with_viewers_and_not_with_what_they_see(
    market: Market,
) -> None:
    for n in range(30):
        viewer, times = UUID(int=ALICE.int + n), 600 + n % 10
        market.connection.execute(
            SHOW_MANY, {"viewer": viewer, "line": market.line_id, "times": times}
        )
    tracemalloc.start()

    found = credit_outliers(market.connection)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == {}
    assert peak < 1_000_000
