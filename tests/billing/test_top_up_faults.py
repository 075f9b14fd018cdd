"""A top-up is credited exactly once and never lost, whatever the network, Stripe or a crash do."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

import pytest

from domain.payer.aggregate import Payer
from domain.top_up.aggregate import Method, TopUp
from domain.top_up.payments import Charge, Checkout, Payment, RailRefused, RailSilent
from myriorama.application.top_ups import TopUps
from myriorama.billing.stripe_double.bank import Bank, CardRefused, StateUnfit, Thing
from myriorama.billing.stripe_double.cards import GOOD_CARD
from myriorama.billing.stripe_double.exchange import Asked, Exchange, Fault
from myriorama.billing.stripe_double.signatures import delivery
from myriorama.billing.stripe_rail import API_VERSION, Notice, StripeRail, verified
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.doubles.stripe.transport import InProcess

T = TypeVar("T")

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE, CENT = UUID(int=1), 10_000
SECRET = "whsec_of_the_tests"  # noqa: S105 - of the tests alone
CARDS = (
    (GOOD_CARD, "pm_card_visa"),
    (GOOD_CARD, "pm_card_visa"),
    ("4000000000000002", "pm_card_chargeCustomerFail"),
    ("4000002760003184", "pm_card_authenticationRequired"),
)
SCHEDULES = 150
STEPS_MAX = 60


class Crashed(BaseException):
    """The process is gone. No handler of errors sees to it."""


class Lived(NamedTuple):
    """What came of a top-up, and in how many attempts."""

    method: Method
    state: str
    attempts: int


@dataclass
class World:
    """A double, a log, and all that goes wrong between them, drawn from one seed."""

    log: Log
    pool: Pool
    draw: random.Random
    now: datetime = NOON
    fault_share: float = 0.4
    crash_share: float = 0.15
    seen: int = 0
    flying: list[Thing] = field(default_factory=list[Thing])

    def __post_init__(self) -> None:
        self.bank = Bank(clock_s=self.clock_s, page="http://127.0.0.1")
        self.exchange = Exchange(
            self.bank, clock_s=self.clock_s, api_version=API_VERSION, fault=self.fault
        )
        self.rail = StripeRail("sk_test_double", http_client=InProcess(self.exchange))
        self.advertiser_id = uuid4()

    def clock_s(self) -> int:
        return int(self.now.timestamp())

    def fault(self, _: Asked) -> Fault:
        if self.draw.random() >= self.fault_share:
            return Fault.NONE
        return self.draw.choice([fault for fault in Fault if fault is not Fault.NONE])

    def top_ups(self) -> TopUps:
        """Return what a process that has just been started commands with."""
        rail = Crashing(self.rail, self.crash)
        log = CrashingLog(self.log, self.crash)
        back = "http://127.0.0.1/billing"
        return TopUps(log, self.pool, rail, lambda _, __: "USD", return_url=back)

    def crash(self) -> None:
        if self.draw.random() < self.crash_share:
            raise Crashed

    def fly(self) -> list[Thing]:
        """Return what is delivered now: lost, doubled, out of order, or from long ago."""
        self.flying += self.bank.events[self.seen :]
        self.seen = len(self.bank.events)
        landed = [event for event in self.flying if self.draw.random() < 0.5]
        self.flying = [
            event
            for event in self.flying
            if event not in landed and self.draw.random() > 0.3  # lost for good
        ]
        again = [event for event in self.bank.events if self.draw.random() < 0.1]
        self.draw.shuffle(landed := landed * self.draw.choice([1, 1, 2]) + again)
        return landed


class Crashing:
    """A rail in a process that may die before it asks, and after it was answered."""

    def __init__(self, rail: StripeRail, crash: Callable[[], None]) -> None:
        self._rail = rail
        self._crash = crash

    def open_customer(self, advertiser_id: UUID, *, key: str) -> str:
        return self._between(lambda: self._rail.open_customer(advertiser_id, key=key))

    def open_checkout(self, charge: Charge) -> Checkout:
        return self._between(lambda: self._rail.open_checkout(charge))

    def charge(self, charge: Charge) -> Payment:
        return self._between(lambda: self._rail.charge(charge))

    def checkout(self, session_id: str) -> Checkout:
        return self._between(lambda: self._rail.checkout(session_id))

    def payment(self, payment_id: str) -> Payment:
        return self._between(lambda: self._rail.payment(payment_id))

    def payments_for(self, customer_id: str, top_up_id: UUID) -> list[Payment]:
        return self._between(lambda: self._rail.payments_for(customer_id, top_up_id))

    def _between(self, ask: Callable[[], T]) -> T:
        self._crash()
        answer = ask()
        self._crash()
        return answer


class CrashingLog(Log):
    """The log of such a process: it dies before it records, or after."""

    def __init__(self, log: Log, crash: Callable[[], None]) -> None:
        self.__dict__.update(log.__dict__)
        self._crash_now = crash

    def save(self, *aggregates: Any, expect: Any = None) -> Any:
        self._crash_now()
        saved = super().save(*aggregates, expect=expect)
        self._crash_now()
        return saved


def happened(log: Log, top_up_id: UUID) -> TopUp:
    top_up = log.find(TopUp, top_up_id)
    assert top_up is not None
    return top_up


def act(world: World, top_up_id: UUID, card: str) -> None:
    """Let one thing happen: time passes, a person pays, the cashier asks, Stripe reports."""
    top_ups, draw = world.top_ups(), world.draw
    match draw.randrange(6):
        case 0:
            world.now += draw.choice([timedelta(seconds=30), timedelta(minutes=2)])
        case 1:
            world.exchange.arrive()
        case 2:
            pay(world, top_up_id, card)
        case 3:
            top_ups.open_page(top_up_id, at=world.now)
        case 4:
            for event in world.fly():
                report(world, top_ups, event)
        case _:
            top_ups.advance(top_up_id, at=world.now)


def pay(world: World, top_up_id: UUID, card: str) -> None:
    """Pay where the person was shown the way, and nowhere else."""
    session_id = happened(world.log, top_up_id).session_id
    if session_id is not None:
        with suppress(CardRefused, StateUnfit):
            world.bank.pay(session_id, card)


def report(world: World, top_ups: TopUps, event: Thing) -> None:
    notice: Notice = verified_now(event)
    if notice.type.startswith("payment_intent."):
        top_ups.learn(notice.object_id, at=world.now)


def verified_now(event: Thing) -> Notice:
    body, signature = delivery(event, SECRET, at_s=int(datetime.now(UTC).timestamp()))
    return verified(body, signature, SECRET)


def lived_through(step: Callable[[], None]) -> None:
    with suppress(RailSilent, RailRefused, Crashed):
        step()


def come_to_rest(world: World, top_up_id: UUID) -> None:
    """Let everything go well from now on, without a single report from Stripe."""
    world.fault_share = world.crash_share = 0.0
    world.exchange.arrive()
    for hours in (0, 0, 1, 25, 25, 25):
        world.now += timedelta(hours=hours, minutes=2)
        for _ in range(3):
            lived_through(lambda: world.top_ups().advance(top_up_id, at=world.now))


def keep_card(world: World, test_card: str) -> None:
    """Have the advertiser be known at the rail, with a card on file."""
    customer_id = world.bank.open_customer({})["id"]
    payer = Payer.open(world.advertiser_id, customer_id, at=NOON)
    payer.save_payment_method(world.bank.keep_card(test_card, customer_id)["id"], at=NOON)
    world.log.save(payer)


def requested(world: World, method: Method) -> UUID:
    """Have a top-up asked for by somebody who asks again where nothing came of it."""
    while True:
        try:
            return world.top_ups().request(
                world.advertiser_id,
                amount_micros=world.draw.randrange(500, 99_999) * CENT,
                method=method,
                by=ALICE,
                at=world.now,
            )
        except Crashed:
            continue


def live_through(log: Log, pool: Pool, seed: int) -> Lived:
    """One top-up among random faults, then in peace: it comes to an end, and is credited once."""
    world = World(log, pool, random.Random(seed))  # noqa: S311 - to be drawn again
    method: Method = world.draw.choice(["checkout", "off_session"])
    card, kept_card = world.draw.choice(CARDS)
    if method == "off_session":
        keep_card(world, kept_card)
    top_up_id = requested(world, method)

    for _ in range(world.draw.randrange(STEPS_MAX)):
        lived_through(lambda: act(world, top_up_id, card))
    come_to_rest(world, top_up_id)

    top_up = happened(log, top_up_id)
    assert top_up.is_settled, seed
    assert [paid.payment_id for paid in world.bank.paid] == top_up.credited, seed
    assert len(top_up.credited) <= 1, seed
    assert (top_up.state == "succeeded") == bool(top_up.credited), seed
    assert sum(paid.amount for paid in world.bank.paid) == world.bank.balance_minor().get("usd", 0)
    return Lived(method, top_up.state, top_up.attempt)


@pytest.mark.parametrize("first", [0, SCHEDULES])
def test_what_is_paid_is_credited_exactly_once(log: Log, pool: Pool, first: int) -> None:
    lives = Counter(live_through(log, pool, seed) for seed in range(first, first + SCHEDULES))

    assert {(life.method, life.state) for life in lives} == {
        (method, state)
        for method in ("checkout", "off_session")
        for state in ("succeeded", "failed")
    }
    assert max(life.attempts for life in lives) > 1
