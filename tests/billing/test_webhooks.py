"""What Stripe reports is worked off one by one: what cannot be taken in holds up nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.top_up.payments import RailRefused
from myriorama.billing.stripe_double.bank import Bank
from myriorama.billing.stripe_double.exchange import Exchange
from myriorama.billing.stripe_rail import API_VERSION, Notice, StripeRail
from myriorama.billing.webhooks import Reports
from myriorama.store.postgres import Pool
from tests.doubles.stripe.transport import InProcess

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOP_UP = UUID(int=1)

KEPT = "SELECT event_id, attempts, last_error, due_at > %s, processed_at FROM stripe_inbox"


def clock_s() -> int:
    return int(NOON.timestamp())


def test_a_payment_in_a_currency_that_is_not_taken_is_refused_and_hides_no_other() -> None:
    bank = Bank(clock_s=clock_s, page="http://127.0.0.1")
    exchange = Exchange(bank, clock_s=clock_s, api_version=API_VERSION)
    rail = StripeRail("sk_test_double", http_client=InProcess(exchange))
    customer_id = bank.open_customer({})["id"]
    card_id = bank.keep_card("pm_card_visa", customer_id)["id"]

    def paid(currency: str, metadata: dict[str, Any]) -> str:
        wanted = {"amount": 1_000, "currency": currency, "metadata": metadata}
        charged = bank.charge({**wanted, "customer": customer_id, "payment_method": card_id})
        return str(charged["id"])

    other_id, hers_id = paid("huf", {}), paid("usd", {"top_up_id": str(TOP_UP)})

    with pytest.raises(RailRefused, match="HUF"):
        rail.payment(other_id)
    found = rail.payments_for(customer_id, TOP_UP)
    assert [(each.payment_id, each.amount_micros) for each in found] == [(hers_id, 10_000_000)]


def test_a_report_that_cannot_be_taken_in_is_put_off_and_the_next_is_taken_in(
    pool: Pool,
) -> None:
    taken = list[str]()

    def learn(payment_id: str, _: datetime) -> None:
        if payment_id == "pi_odd":
            raise KeyError(payment_id)
        taken.append(payment_id)

    reports = Reports(pool, {"payment_intent.": learn})
    reports.take_in(
        [
            Notice(f"evt_{name}", "payment_intent.succeeded", f"pi_{name}", 1, b"")
            for name in ("odd", "ours")
        ]
    )
    at = datetime.now(UTC) + timedelta(seconds=1)

    done = reports.work_off(at)

    assert (done, taken) == (1, ["pi_ours"])
    with pool.connection() as connection:
        kept = connection.execute(f"{KEPT} WHERE event_id = 'evt_odd'", (at,)).fetchone()
    assert kept == ("evt_odd", 1, "'pi_odd'", True, None)
