"""What can happen to a top-up. What is about to be asked of the rail is recorded first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class TopUpRequested(InitialEvent):
    """An advertiser wants so much in the wallet.

    `method` is "checkout", "off_session" or "sandbox": that one asks no rail, and is no money.
    """

    TOPIC = "top_up.requested"

    advertiser_id: UUID
    requested_by: UUID
    amount_micros: int
    currency: str
    method: str


@dataclass(frozen=True)
class ChargeSubmitted(Event):
    """The rail is going to be asked, under `key`, with these fields and no others."""

    TOPIC = "top_up.charge_submitted"

    attempt: int
    key: str
    customer_id: str
    payment_method_id: str
    return_url: str


@dataclass(frozen=True)
class CheckoutOpened(Event):
    """The rail has opened a page on which to pay."""

    TOPIC = "top_up.checkout_opened"

    session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class TopUpSucceeded(Event):
    """The money has come: it is the advertiser's to spend."""

    TOPIC = "top_up.succeeded"

    advertiser_id: UUID
    payment_id: str
    amount_micros: int
    currency: str
    payment_method_id: str


@dataclass(frozen=True)
class SurplusReceived(Event):
    """A second payment for the same top-up has come: it is the advertiser's just as well."""

    TOPIC = "top_up.surplus_received"

    advertiser_id: UUID
    payment_id: str
    amount_micros: int
    currency: str


@dataclass(frozen=True)
class TopUpFailed(Event):
    """Nothing was paid. `code` is stable; should money come none the less, it counts."""

    TOPIC = "top_up.failed"

    code: str


@dataclass(frozen=True)
class TopUpActionRequired(Event):
    """The bank wants the cardholder to confirm, which they can on a page to pay on."""

    TOPIC = "top_up.action_required"

    payment_id: str


@dataclass(frozen=True)
class TopUpUnresolved(Event):
    """What became of an attempt is not known, and its key may be forgotten: look, do not ask."""

    TOPIC = "top_up.unresolved"

    attempt: int


TopUpEvent = (
    TopUpRequested
    | ChargeSubmitted
    | CheckoutOpened
    | TopUpSucceeded
    | SurplusReceived
    | TopUpFailed
    | TopUpActionRequired
    | TopUpUnresolved
)
