"""The cashier has time for whoever tops up, however many pages others open and do not pay on."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.payer.aggregate import Payer
from domain.top_up.aggregate import Method, TopUp
from domain.top_up.errors import TooManyCheckouts
from myriorama.application.top_ups import CHECKOUTS_MAX, TopUps
from myriorama.billing.stripe_double.bank import Bank
from myriorama.billing.stripe_double.cards import GOOD_CARD
from myriorama.billing.stripe_double.exchange import Asked, Exchange, Fault
from myriorama.billing.stripe_rail import API_VERSION, StripeRail
from myriorama.billing.webhooks import Reports
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.workers.cashier import Cashier
from projections.top_ups import TopUps as TopUpsProjection
from tests.doubles.stripe.transport import InProcess
from tests.folding import fold

ALICE, BOB, MALLORY = uuid4(), uuid4(), uuid4()
TEN = 10_000_000

# As the read side has them: more pages of hers than are ever asked for in one round.
CROWD = """
    INSERT INTO top_ups (top_up_id, advertiser_id, amount_micros, currency, method, state,
                         requested_at, changed_at, requested_position, position)
    SELECT gen_random_uuid(), %s, 10000000, 'USD', 'checkout', 'open', now(), now(), 0, 0
    FROM generate_series(1, 1100)
"""


class House:
    """Top-ups, the double of Stripe whose reports are all lost, and who asks it."""

    def __init__(self, log: Log, pool: Pool) -> None:
        self.log, self.pool = log, pool
        self.asked: list[Asked] = []
        self.bank = Bank(clock_s=lambda: int(datetime.now(UTC).timestamp()), page="http://page")
        exchange = Exchange(
            self.bank,
            clock_s=lambda: int(datetime.now(UTC).timestamp()),
            api_version=API_VERSION,
            fault=self._note,
        )
        rail = StripeRail("sk_test_double", http_client=InProcess(exchange))
        self.top_ups = TopUps(log, pool, rail, lambda _, __: "USD", return_url="http://back")
        self.cashier = Cashier(self.top_ups, Reports(pool, {}), lambda _, __: [])

    def request(self, advertiser_id: UUID, method: Method = "checkout") -> UUID:
        at = datetime.now(UTC)
        return self.top_ups.request(
            advertiser_id, amount_micros=TEN, method=method, by=advertiser_id, at=at
        )

    def open(self, advertiser_id: UUID, count: int = 1) -> Sequence[UUID]:
        requested = [self.request(advertiser_id) for _ in range(count)]
        for top_up_id in requested:
            self.top_ups.open_page(top_up_id, at=datetime.now(UTC))
        return requested

    def keep_card(self, advertiser_id: UUID) -> None:
        at, customer_id = datetime.now(UTC), self.bank.open_customer({})["id"]
        payer = Payer.open(advertiser_id, customer_id, at=at)
        payer.save_payment_method(self.bank.keep_card("pm_card_visa", customer_id)["id"], at=at)
        self.log.save(payer)

    def pay(self, top_up_id: UUID) -> None:
        session_id = self.find(top_up_id).session_id
        assert session_id is not None
        self.bank.pay(session_id, GOOD_CARD)

    def step(self, *, rounds: int = 1) -> None:
        self.asked.clear()
        with self.pool.connection() as connection:
            for _ in range(rounds):
                self.cashier.step(connection, threading.Event())

    def find(self, top_up_id: UUID) -> TopUp:
        top_up = self.log.find(TopUp, top_up_id)
        assert top_up is not None
        return top_up

    def _note(self, asked: Asked) -> Fault:
        self.asked.append(asked)
        return Fault.NONE


@pytest.fixture
def house(log: Log, pool: Pool) -> House:
    return House(log, pool)


def test_a_thousand_pages_that_nobody_pays_on_keep_no_charge_waiting(house: House) -> None:
    house.keep_card(ALICE)
    charge = house.request(ALICE, "off_session")
    fold(house.pool, TopUpsProjection())
    with house.pool.connection() as connection:
        connection.execute(CROWD, (MALLORY,))

    house.step()

    assert house.find(charge).state == "succeeded"
    assert [asked.path for asked in house.asked] == ["/v1/payment_intents"]


def test_advertisers_take_turns_to_be_asked_after(house: House) -> None:
    house.open(MALLORY, CHECKOUTS_MAX)
    (paid,) = house.open(BOB)
    house.pay(paid)
    fold(house.pool, TopUpsProjection())

    house.step()

    assert house.find(paid).state == "succeeded"
    assert len(house.asked) < CHECKOUTS_MAX


def test_a_page_is_asked_after_less_and_less_often_and_paid_late_is_credited_once(
    house: House,
) -> None:
    (page,) = house.open(ALICE)
    fold(house.pool, TopUpsProjection())
    with house.pool.connection() as connection:
        hour = timedelta(hours=1)
        connection.execute("UPDATE top_ups SET changed_at = changed_at - %s", (hour,))
    house.step(rounds=3)
    asked_of_open = [asked.path for asked in house.asked]
    house.pay(page)

    house.step()
    later = Cashier(house.top_ups, Reports(house.pool, {}), lambda _, __: [])
    house.cashier = later  # as after a restart, which has forgotten when it asked
    waiting = house.find(page).state
    house.step(rounds=2)

    assert len(asked_of_open) == 1
    assert waiting == "open"
    assert house.find(page).state == "succeeded"
    assert len(house.find(page).credited) == 1


def test_an_advertiser_has_so_many_checkouts_open_and_each_that_is_paid_makes_room(
    house: House,
) -> None:
    pages = house.open(MALLORY, CHECKOUTS_MAX)

    with pytest.raises(TooManyCheckouts):
        house.request(MALLORY)
    fold(house.pool, TopUpsProjection())
    with pytest.raises(TooManyCheckouts):
        house.request(MALLORY)
    house.request(BOB)
    house.pay(pages[0])
    house.top_ups.advance(pages[0], at=datetime.now(UTC))

    assert house.request(MALLORY)
