"""What a payment rail says: a payment as it stands, a page to pay on, or why there is none.

The rail is somebody else's machine: whatever it does not say for certain is not known.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

PaymentStatus = Literal["succeeded", "pending", "declined", "action_required", "cancelled"]
CheckoutStatus = Literal["open", "complete", "expired"]


@dataclass(frozen=True)
class Payment:
    """A payment as it stands at the rail. `error_code` is the rail's, of the last attempt."""

    payment_id: str
    top_up_id: UUID | None
    status: PaymentStatus
    amount_micros: int
    currency: str
    payment_method_id: str = ""
    error_code: str = ""


@dataclass(frozen=True)
class Checkout:
    """A page of the rail on which one payment can be made, until it expires."""

    session_id: str
    top_up_id: UUID | None
    url: str
    status: CheckoutStatus
    expires_at: datetime


@dataclass(frozen=True)
class Charge:
    """What the rail is asked for: the same key must come with the same fields each time."""

    top_up_id: UUID
    attempt: int
    key: str
    amount_micros: int
    currency: str
    customer_id: str
    payment_method_id: str
    return_url: str


class RailSilent(Exception):
    """There is no answer that says what happened. The same may be asked again, under its key."""


class RailStuck(Exception):
    """The answer to this key will be the same for as long as the rail keeps it, and says nothing.

    Whether there is a payment is found by looking for it.
    """


class RailRefused(Exception):
    """The rail will not do this, and has not done it; the message says why."""


class Rail(Protocol):
    """Takes money from cards. Every call may raise `RailSilent`."""

    def open_customer(self, advertiser_id: UUID, *, key: str) -> str:
        """Return the ID of a new customer, to whom payments and cards belong."""
        ...

    def open_checkout(self, charge: Charge) -> Checkout:
        """Return a page on which the charge can be paid. Raises RailStuck, RailRefused."""
        ...

    def charge(self, charge: Charge) -> Payment:
        """Charge the card on file; declined or not, it returns. Raises RailStuck, RailRefused."""
        ...

    def checkout(self, session_id: str) -> Checkout:
        """Return a page as it stands now."""
        ...

    def payment(self, payment_id: str) -> Payment:
        """Return a payment as it stands now. Raises RailRefused: there is none."""
        ...

    def payments_for(self, customer_id: str, top_up_id: UUID) -> list[Payment]:
        """Return all payments that were ever begun for a top-up, oldest first."""
        ...
