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

from domain.advertiser.events import AdvertiserOpened
from domain.spend.events import InvalidTrafficCredited, SpendSettled
from domain.top_up.events import SurplusReceived, TopUpSucceeded
from projections.projection import Projection, Recorded

Booked = TopUpSucceeded | SurplusReceived | SpendSettled | InvalidTrafficCredited
Folded = AdvertiserOpened | Booked

BOOK = """
    INSERT INTO ledger_transactions (source_key, kind, advertiser_id, occurred_at, position)
    VALUES (%s, %s, %s, %s, %s)
"""

ENTER = """
    INSERT INTO ledger_entries (source_key, leg, account, advertiser_id, currency, amount_micros,
                                position)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

OPEN = """
    INSERT INTO wallets (advertiser_id, currency, sandbox, balance_micros, position)
    VALUES (%s, %s, %s, 0, %s)
"""

# An advertiser has one currency for good, and is a sandbox or none for good.
WALLET = "SELECT currency, sandbox FROM wallets WHERE advertiser_id = %s"

MOVE = """
    UPDATE wallets SET
        balance_micros = balance_micros + %s, topped_up_micros = topped_up_micros + %s,
        spent_micros = spent_micros + %s, credited_micros = credited_micros + %s, position = %s
    WHERE advertiser_id = %s
"""

_SANDBOX = {
    "stripe_clearing": "sandbox_clearing",
    "wallet": "sandbox_wallet",
    "revenue": "sandbox_revenue",
}


class WalletMissing(LookupError):
    """Money moved of an advertiser who was never opened."""


class Ledger(Projection[Folded]):
    """The books. Accounts: `stripe_clearing`, `wallet` (one an advertiser), `revenue`.

    What is no money has accounts of its own: `sandbox_clearing`, `sandbox_wallet` (one an
    advertiser), `sandbox_revenue`.
    """

    name = "ledger"
    tables = ("ledger_transactions", "ledger_entries", "wallets")
    topics = (
        AdvertiserOpened.TOPIC,
        TopUpSucceeded.TOPIC,
        SurplusReceived.TOPIC,
        SpendSettled.TOPIC,
        InvalidTrafficCredited.TOPIC,
    )

    def fold(self, events: Sequence[Recorded[Folded]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            if isinstance(event, AdvertiserOpened):
                of = event.originator_id
                cursor.execute(OPEN, (of, event.currency, event.sandbox, position))
            elif (moved := _moved(event)).micros:
                _book(moved, event, position, cursor)


class _Moved(NamedTuple):
    """So many micros from one account to another; `topped_up` and so on are the wallet's sums."""

    source_key: str
    kind: str
    debited: str
    credited: str
    advertiser_id: UUID
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
            return _Moved(key, kind, *accounts, of, micros, micros, micros)
        case SpendSettled():
            micros, accounts = event.micros, ("wallet", "revenue")
            return _Moved(_key(event), "spend", *accounts, of, micros, -micros, spent=micros)
        case InvalidTrafficCredited():
            micros, accounts = event.micros, ("revenue", "wallet")
            kind = "invalid_traffic"
            return _Moved(_key(event), kind, *accounts, of, micros, micros, given_back=micros)
        case _:
            assert_never(event)


def _key(event: Booked) -> str:
    return f"event:{event.originator_id}:{event.originator_version}"


def _book(moved: _Moved, event: Booked, position: int, cursor: Cursor[TupleRow]) -> None:
    of, at = moved.advertiser_id, event.timestamp
    row = cursor.execute(WALLET, (of,)).fetchone()
    if row is None:
        raise WalletMissing(f"There is no wallet of advertiser {of}.")
    currency, is_sandbox = row
    cursor.execute(BOOK, (moved.source_key, moved.kind, of, at, position))
    legs = ((moved.debited, moved.micros), (moved.credited, -moved.micros))
    for leg, (account, micros) in enumerate(legs, start=1):
        whose = of if account == "wallet" else None
        named = _SANDBOX[account] if is_sandbox else account
        entry = (moved.source_key, leg, named, whose, currency, micros, position)
        cursor.execute(ENTER, entry)
    sums = (moved.balance, moved.topped_up, moved.spent, moved.given_back)
    cursor.execute(MOVE, (*sums, position, of))
