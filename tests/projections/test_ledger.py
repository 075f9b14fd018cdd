"""The books: double entry that sums to zero, each source booked once, the same when folded anew."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import CheckViolation, RestrictViolation
from psycopg.sql import SQL, Identifier

from domain.advertiser.events import AdvertiserOpened
from domain.spend.events import InvalidTrafficCredited, SettledCharges, SpendSettled, spend_stream
from domain.top_up.events import SurplusReceived, TopUpSucceeded
from myriorama.billing.ledger_verification import LedgerBroken, verify_books
from myriorama.replay.shapes import copy_shape, held_by, shape
from myriorama.store.postgres import Pool
from projections.ledger import Folded, Ledger, WalletMissing
from projections.projection import Recorded

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE, LINE, CAMPAIGN = UUID(int=1), uuid4(), uuid4()
FOX_SHOP = UUID(int=7)


def opened(
    advertiser_id: UUID = FOX_SHOP, currency: str = "EUR", *, sandbox: bool = False
) -> AdvertiserOpened:
    terms = ("Fox Shop", "fox.example.com", "home", currency, "Europe/Berlin", ALICE, sandbox)
    return AdvertiserOpened(advertiser_id, 1, NOON, "advertiser", *terms)


def paid(payment_id: str, micros: int) -> TopUpSucceeded:
    return TopUpSucceeded(uuid4(), 3, NOON, FOX_SHOP, payment_id, micros, "EUR", "pm_1")


def spent(batch: int, micros: int) -> SpendSettled:
    charges = (SettledCharges("impression", 1, micros, 0, 0),)
    of = (LINE, CAMPAIGN, FOX_SHOP, "2026-11-22")
    return SpendSettled(spend_stream(LINE), batch, NOON, *of, batch, charges, micros)


def credited(batch: int, micros: int) -> InvalidTrafficCredited:
    of = (LINE, CAMPAIGN, FOX_SHOP, "2026-11-22")
    return InvalidTrafficCredited(spend_stream(LINE), batch, NOON, *of, "data_centre", 1, micros)


def booked(pool: Pool, *events: Folded, after: int = 0) -> None:
    with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        recorded = [Recorded(after + n, NOON, event) for n, event in enumerate(events, start=1)]
        Ledger().fold(recorded, cursor)


def wallet(pool: Pool) -> tuple[object, ...]:
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT currency, balance_micros, topped_up_micros, spent_micros, credited_micros"
            " FROM wallets WHERE advertiser_id = %s",
            (FOX_SHOP,),
        ).fetchone()
    assert row is not None
    return row


def tables(pool: Pool) -> list[list[tuple[object, ...]]]:
    with pool.connection() as connection:
        return [
            connection.execute(SQL("TABLE {}").format(Identifier(table))).fetchall()
            for table in Ledger.tables
        ]


def test_what_comes_in_and_goes_out_is_what_the_wallet_has(pool: Pool, database_url: str) -> None:
    surplus = SurplusReceived(uuid4(), 4, NOON, FOX_SHOP, "pi_2", 500, "EUR")

    booked(pool, opened(), paid("pi_1", 10_000), surplus, spent(1, 3_000), spent(2, 0))
    booked(pool, credited(3, 1_000), after=5)

    assert wallet(pool) == ("EUR", 8_500, 10_500, 3_000, 1_000)
    with pool.connection() as connection:
        sums = "SELECT account, sum(amount_micros) FROM ledger_entries GROUP BY 1 ORDER BY 1"
        of_accounts = [("revenue", -2_000), ("stripe_clearing", 10_500), ("wallet", -8_500)]
        assert connection.execute(sums).fetchall() == of_accounts
    with pytest.raises(LedgerBroken, match="was booked to have spent 3000, and charged 0"):
        list(verify_books(database_url))  # for this spending came out of no charges


def test_what_is_no_money_is_in_accounts_of_its_own(pool: Pool, database_url: str) -> None:
    booked(pool, opened(sandbox=True), paid("sandbox_1", 10_000), spent(1, 3_000))
    booked(pool, credited(2, 1_000), after=3)

    with pool.connection() as connection:
        sums = "SELECT account, sum(amount_micros) FROM ledger_entries GROUP BY 1 ORDER BY 1"
        accounts: dict[str, int] = dict(connection.execute(sums).fetchall())
        connection.execute("UPDATE wallets SET sandbox = false")
    assert accounts == {
        "sandbox_clearing": 10_000,
        "sandbox_revenue": -2_000,
        "sandbox_wallet": -8_000,
    }
    with pytest.raises(LedgerBroken, match="which is not for such money"):
        list(verify_books(database_url))


def test_a_payment_is_booked_once_whatever_is_folded(pool: Pool) -> None:
    booked(pool, opened(), paid("pi_1", 10_000))

    with pytest.raises(psycopg.errors.UniqueViolation):
        booked(pool, paid("pi_1", 10_000), after=2)

    assert wallet(pool)[1] == 10_000


def test_nobody_has_a_wallet_who_is_no_advertiser(pool: Pool) -> None:
    with pytest.raises(WalletMissing):
        booked(pool, paid("pi_1", 10_000))


def test_legs_that_do_not_sum_to_zero_are_never_committed(pool: Pool) -> None:
    booked(pool, opened(), paid("pi_1", 10_000))
    leg = "INSERT INTO ledger_entries VALUES ('payment:pi_2', 1, 'wallet', %s, 'EUR', 1, 9)"

    with pool.connection() as connection:
        with pytest.raises(CheckViolation, match="do not sum to zero"):
            connection.execute(leg, (FOX_SHOP,))
        with pytest.raises(RestrictViolation, match="only added to"):
            connection.execute("UPDATE ledger_entries SET amount_micros = 2 * amount_micros")
        with pytest.raises(RestrictViolation, match="only added to"):
            connection.execute("DELETE FROM ledger_entries")


def test_it_is_the_same_to_the_byte_however_the_log_is_cut(pool: Pool) -> None:
    events: list[Folded] = [
        opened(),
        paid("pi_1", 10_000),
        spent(1, 3_000),
        paid("pi_2", 7),
        credited(2, 1_000),
    ]
    booked(pool, *events)
    whole = tables(pool)
    with pool.connection() as connection:
        connection.execute("TRUNCATE ledger_transactions, ledger_entries, wallets")

    for place, event in enumerate(events):
        booked(pool, event, after=place)

    assert tables(pool) == whole


def test_the_books_can_be_rebuilt_with_what_guards_them(pool: Pool) -> None:
    with pool.connection() as connection:
        connection.execute("CREATE SCHEMA rebuilt")

        copy_shape(connection, Ledger.tables, "rebuilt")

        assert held_by(connection, Ledger.tables) == []
        here, there = (shape(connection, Ledger.tables, s) for s in ("public", "rebuilt"))
        assert here == there
        with pytest.raises(CheckViolation, match="do not sum to zero"):
            connection.execute(
                "INSERT INTO rebuilt.ledger_entries VALUES ('k', 1, 'wallet', NULL, 'EUR', 1, 1)"
            )


def test_whoever_tampers_with_the_books_is_found(pool: Pool, database_url: str) -> None:
    booked(pool, opened(), paid("pi_1", 10_000))
    assert next(str(each) for each in verify_books(database_url)).startswith("1 transactions")

    with pool.connection() as connection:
        connection.execute(
            "UPDATE wallets SET balance_micros = 5, topped_up_micros = 5 WHERE position > 0"
        )

    with pytest.raises(LedgerBroken, match=f"the wallet of {FOX_SHOP} has 5, and 10000"):
        list(verify_books(database_url))
