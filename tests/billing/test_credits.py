"""Credits: given back once, to all four budgets, and told in the same stream as the charges."""

from uuid import UUID

from ads.beacons import Beacon
from myriorama.billing.credits import credit
from myriorama.billing.outbox import Outbox
from tests.billing.worlds import Market, granted

TOLD = """
    SELECT originator_version, topic, (convert_from(state, 'UTF8')::json->>'micros')::bigint
    FROM events ORDER BY position
"""


def charged(market: Market, *micros: int) -> None:
    lease = granted(market.grant(10_000, least=10_000))
    market.report([market.token(lease, each) for each in micros])
    market.settle()


def test_a_charge_is_credited_once(market: Market) -> None:
    charged(market, 1_000, 2_000, 4_000)
    invalid = [(UUID(int=n), Beacon.VIEWABLE) for n in (1, 3)]

    credited = [credit(market.connection, invalid, reason="viewer_volume") for _ in range(2)]

    assert credited == [5_000, 0]
    assert market.spent() == {2_000}
    assert market.drift() == 0


def test_what_was_also_reported_as_invalid_is_credited_once(market: Market) -> None:
    lease = granted(market.grant(10_000, least=10_000))
    token = market.token(lease, 3_000)
    market.report([token], mark="view_too_soon")
    market.report([token])
    market.settle()

    credited = credit(market.connection, [(UUID(int=1), Beacon.VIEWABLE)], reason="viewer_volume")

    assert credited == 3_000
    assert market.spent() == {0}
    assert market.drift() == 0


def test_a_credit_follows_the_charges_in_their_stream(market: Market) -> None:
    charged(market, 1_000, 2_000)
    credit(market.connection, [(UUID(int=2), Beacon.VIEWABLE)], reason="viewer_volume")
    outbox = Outbox(market.pool)

    outbox.publish()

    told = market.connection.execute(TOLD).fetchall()
    assert told == [
        (1, "spend.settled", 3_000),
        (2, "spend.invalid_traffic_credited", 2_000),
    ]
    outbox.close()


def test_what_was_never_charged_is_passed_over(market: Market) -> None:
    charged(market, 1_000)

    unknown = [(UUID(int=9), Beacon.VIEWABLE), (UUID(int=1), Beacon.CLICK)]

    assert credit(market.connection, unknown, reason="viewer_volume") == 0
    assert market.spent() == {1_000}


def test_what_is_credited_may_be_spent_again_but_not_beyond_a_budget_that_was_cut(
    market: Market,
) -> None:
    charged(market, 3_000, 3_000)
    market.put_line(daily=1_000_000, lifetime=4_000)

    credit(market.connection, [(UUID(int=1), Beacon.VIEWABLE)], reason="viewer_volume")

    assert granted(market.grant(5_000, least=1_000)).micros == 1_000
    assert market.drift() == 0
