"""The books are looked at as a whole: what was charged, told and not booked is found, too."""

import pytest

from myriorama.billing.ledger_verification import LedgerBroken, verify_books
from myriorama.billing.outbox import Outbox
from tests.billing.worlds import Market, granted

WALLET = """
    INSERT INTO wallets (advertiser_id, currency, balance_micros, position) VALUES (%s, 'USD', 0, 1)
"""

PASSED = """
    INSERT INTO projection_positions (name, position) VALUES ('ledger', %s)
    ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""

LOSE = """
    UPDATE spend_outbox SET state = convert_to(replace(convert_from(state, 'UTF8'), '4000', '3000'),
                                               'UTF8')
"""


def charge(market: Market) -> None:
    """Charge 4,000 micros, and record that."""
    lease = granted(market.grant(10_000, least=10_000))
    market.report([market.token(lease, 4_000)])
    market.settle()
    outbox = Outbox(market.pool)
    outbox.publish()
    outbox.close()
    market.connection.execute(WALLET, (market.advertiser_id,))


def test_spending_that_the_books_have_not_come_to_is_not_missing(
    market: Market, database_url: str
) -> None:
    charge(market)
    market.connection.execute(PASSED, (0,))

    assert list(verify_books(database_url))


def test_spending_that_the_books_have_passed_over_is_found(
    market: Market, database_url: str
) -> None:
    charge(market)
    market.connection.execute(PASSED, (1_000_000,))

    with pytest.raises(LedgerBroken, match=r"event:.*:1 of 4000 micros was not booked"):
        list(verify_books(database_url))


def test_a_charge_that_was_told_otherwise_is_found(market: Market, database_url: str) -> None:
    charge(market)
    market.connection.execute(LOSE)

    with pytest.raises(LedgerBroken, match="was charged 4000, and 3000 was told"):
        list(verify_books(database_url))
