"""The ledger: every movement of money as legs that sum to zero, and the wallets that come of it.

Double entry in whole micros, only added to: what was wrong is credited. Debits are above zero,
credits below. A source is booked once, by its key. Folded from the events of top-ups and of
spending, so it can be rebuilt to the byte. Read by the API and by `myriorama verify ledger`.
"""

from collections.abc import Sequence
from typing import NamedTuple, assert_never
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.spend.events import InvalidTrafficCredited, SpendSettled
from domain.top_up.events import SurplusReceived, TopUpSucceeded
from projections.projection import Projection, Recorded

Booked = TopUpSucceeded | SurplusReceived | SpendSettled | InvalidTrafficCredited

BOOK = """
    INSERT INTO ledger_transactions (source_key, kind, advertiser_id, occurred_at, position)
    VALUES (%s, %s, %s, %s, %s)
"""

ENTER = """
    INSERT INTO ledger_entries (source_key, leg, account, advertiser_id, currency, amount_micros,
                                position)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

# The currency is that of the first money that came in; an advertiser has one for good.
CURRENCY = "SELECT currency FROM wallets WHERE advertiser_id = %s"

MOVE = """
    INSERT INTO wallets AS w (advertiser_id, currency, balance_micros, topped_up_micros,
                              spent_micros, credited_micros, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (advertiser_id) DO UPDATE SET
        balance_micros = w.balance_micros + excluded.balance_micros,
        topped_up_micros = w.topped_up_micros + excluded.topped_up_micros,
        spent_micros = w.spent_micros + excluded.spent_micros,
        credited_micros = w.credited_micros + excluded.credited_micros,
        position = excluded.position
"""

DEFAULT_CURRENCY = "USD"


class Ledger(Projection[Booked]):
    """The books. Accounts: `stripe_clearing`, `wallet` (one an advertiser), `revenue`."""

    name = "ledger"
    tables = ("ledger_transactions", "ledger_entries", "wallets")
    topics = (
        TopUpSucceeded.TOPIC,
        SurplusReceived.TOPIC,
        SpendSettled.TOPIC,
        InvalidTrafficCredited.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Booked]], cursor: Cursor[TupleRow]) -> None:
        for recorded in events:
            moved = _moved(recorded.event)
            if moved.micros:
                _book(moved, recorded, cursor)


class _Moved(NamedTuple):
    """So many micros from one account to another; `topped_up` and so on are the wallet's sums."""

    source_key: str
    kind: str
    debited: str
    credited: str
    advertiser_id: UUID
    currency: str | None
    micros: int
    balance: int
    topped_up: int = 0
    spent: int = 0
    given_back: int = 0


def _moved(event: Booked) -> _Moved:
    of = event.advertiser_id
    match event:
        case TopUpSucceeded() | SurplusReceived():
            kind = "top_up" if isinstance(event, TopUpSucceeded) else "surplus"
            key, accounts = f"payment:{event.payment_id}", ("stripe_clearing", "wallet")
            micros = event.amount_micros
            return _Moved(key, kind, *accounts, of, event.currency, micros, micros, micros)
        case SpendSettled():
            micros, accounts = event.micros, ("wallet", "revenue")
            return _Moved(_key(event), "spend", *accounts, of, None, micros, -micros, spent=micros)
        case InvalidTrafficCredited():
            micros, accounts = event.micros, ("revenue", "wallet")
            kind = "invalid_traffic"
            return _Moved(_key(event), kind, *accounts, of, None, micros, micros, given_back=micros)
        case _:
            assert_never(event)


def _key(event: Booked) -> str:
    return f"event:{event.originator_id}:{event.originator_version}"


def _book(moved: _Moved, recorded: Recorded[Booked], cursor: Cursor[TupleRow]) -> None:
    at, position, of = recorded.event.timestamp, recorded.position, moved.advertiser_id
    currency = moved.currency or _currency_of(of, cursor)
    cursor.execute(BOOK, (moved.source_key, moved.kind, of, at, position))
    for leg, (account, micros) in enumerate(
        ((moved.debited, moved.micros), (moved.credited, -moved.micros)), start=1
    ):
        whose = of if account == "wallet" else None
        entry = (moved.source_key, leg, account, whose, currency, micros, position)
        cursor.execute(ENTER, entry)
    sums = (moved.balance, moved.topped_up, moved.spent, moved.given_back)
    cursor.execute(MOVE, (of, currency, *sums, position))


def _currency_of(advertiser_id: UUID, cursor: Cursor[TupleRow]) -> str:
    row = cursor.execute(CURRENCY, (advertiser_id,)).fetchone()
    return row[0] if row else DEFAULT_CURRENCY
