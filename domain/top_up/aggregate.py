"""The rules of a top-up: asked of the rail once at a time, credited once a payment."""

from datetime import datetime
from typing import Literal, Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.top_up.currencies import MINOR_DIGITS, MINOR_MAX, MINOR_MIN, minor_micros
from domain.top_up.errors import CurrencyNotTaken, PaymentForeign, TopUpAmountInvalid
from domain.top_up.events import (
    ChargeSubmitted,
    CheckoutOpened,
    SurplusReceived,
    TopUpActionRequired,
    TopUpEvent,
    TopUpFailed,
    TopUpRequested,
    TopUpSucceeded,
    TopUpUnresolved,
)
from domain.top_up.payments import Charge, Checkout, Payment

Method = Literal["checkout", "off_session", "sandbox"]
State = Literal[
    "requested", "submitted", "open", "action_required", "unresolved", "succeeded", "failed"
]


class TopUp(Aggregate):
    """An amount on its way into a wallet.

    Every payment that succeeds for it is credited, and none twice, whatever its state: what was
    believed to have failed may turn out to be paid, never the other way round.
    """

    TOPIC = "top_up"

    def __init__(
        self,
        *,
        advertiser_id: UUID,
        requested_by: UUID,
        amount_micros: int,
        currency: str,
        method: Method,
    ) -> None:
        self.advertiser_id = advertiser_id
        self.requested_by = requested_by
        self.amount_micros = amount_micros
        self.currency = currency
        self.method: Method = method
        self.state: State = "requested"
        self.attempt = 0
        self.charge: Charge | None = None
        self.submitted_at: datetime | None = None
        self.session_id: str | None = None
        self.checkout_url: str | None = None
        self.failure_code: str | None = None
        self.credited: list[str] = []

    @classmethod
    def request(  # noqa: PLR0913 - the fields of the first event
        cls,
        top_up_id: UUID,
        *,
        advertiser_id: UUID,
        amount_micros: int,
        currency: str,
        method: Method,
        by: UUID,
        at: datetime,
    ) -> Self:
        """Note what is wanted; nothing is asked of the rail yet.

        Raises:
            CurrencyNotTaken: money of this currency is not taken.
            TopUpAmountInvalid: too little, too much, or a fraction of a coin.
        """
        if currency not in MINOR_DIGITS:
            raise CurrencyNotTaken(f"Money in {currency!r:.10} is not taken.")
        minor, rest = divmod(amount_micros, minor_micros(currency))
        if rest or not MINOR_MIN <= minor <= MINOR_MAX:
            least, most = (each * minor_micros(currency) for each in (MINOR_MIN, MINOR_MAX))
            raise TopUpAmountInvalid(
                f"A top-up in {currency} is {least} to {most} micros, in steps of "
                f"{minor_micros(currency)}."
            )
        return cls.begin(
            TopUpRequested,
            top_up_id,
            at,
            advertiser_id=advertiser_id,
            requested_by=by,
            amount_micros=amount_micros,
            currency=currency,
            method=method,
        )

    @property
    def is_settled(self) -> bool:
        """Whether nothing is to be done any more."""
        return self.state in {"succeeded", "failed"}

    def submit(
        self, *, customer_id: str, payment_method_id: str, return_url: str, at: datetime
    ) -> None:
        """Note what is about to be asked of the rail, under a key of its own.

        The first time, or once more when it is proven that the last attempt left no payment.
        """
        if self.is_settled:
            return
        attempt = self.attempt + 1
        self.trigger(
            ChargeSubmitted,
            at,
            attempt=attempt,
            key=f"top_up:{self.id}:{attempt}",
            customer_id=customer_id,
            payment_method_id=payment_method_id,
            return_url=return_url,
        )

    def open_checkout(self, checkout: Checkout, *, attempt: int, at: datetime) -> None:
        """Note the page on which to pay. Of an attempt that was given up it changes nothing."""
        if self.state == "submitted" and attempt == self.attempt:
            self.trigger(
                CheckoutOpened,
                at,
                session_id=checkout.session_id,
                url=checkout.url,
                expires_at=checkout.expires_at,
            )

    def observe(self, payment: Payment, *, at: datetime) -> None:
        """Take in a payment as it stands at the rail. The same again records nothing.

        Raises:
            PaymentForeign: it is of another top-up, or in another currency.
        """
        if payment.top_up_id != self.id or payment.currency != self.currency:
            raise PaymentForeign(f"Payment {payment.payment_id} is not of top-up {self.id}.")
        match payment.status:
            case "succeeded":
                self._credit(payment, at=at)
            case "declined" | "cancelled":
                # On a page, another card may be tried: the page alone says when that is over.
                if self.method == "off_session":
                    self.fail(payment.error_code or payment.status, at=at)
            case "action_required":
                if self.method == "off_session" and self.state in {"submitted", "unresolved"}:
                    self.trigger(TopUpActionRequired, at, payment_id=payment.payment_id)
            case "pending":
                pass
            case _:
                assert_never(payment.status)

    def fail(self, code: str, *, at: datetime) -> None:
        """Note that nothing was paid. What is settled stays as it is."""
        if not self.is_settled:
            self.trigger(TopUpFailed, at, code=code)

    def doubt(self, *, attempt: int, at: datetime) -> None:
        """Note that the key of an attempt may not be used any more, while nothing is known."""
        if self.state == "submitted" and attempt == self.attempt:
            self.trigger(TopUpUnresolved, at, attempt=attempt)

    def evolve(self, event: TopUpEvent) -> None:
        match event:
            case TopUpRequested():
                pass  # __init__ took its fields.
            case ChargeSubmitted():
                self._submitted(event)
            case CheckoutOpened():
                self.state, self.session_id, self.checkout_url = "open", event.session_id, event.url
            case TopUpSucceeded():
                self.state = "succeeded"
                self.credited.append(event.payment_id)
            case SurplusReceived():
                self.credited.append(event.payment_id)
            case TopUpFailed():
                self.state, self.failure_code = "failed", event.code
            case TopUpActionRequired():
                self.state = "action_required"
            case TopUpUnresolved():
                self.state = "unresolved"
            case _:
                assert_never(event)

    def _submitted(self, event: ChargeSubmitted) -> None:
        self.state, self.attempt, self.submitted_at = "submitted", event.attempt, event.timestamp
        self.charge = Charge(
            top_up_id=self.id,
            attempt=event.attempt,
            key=event.key,
            amount_micros=self.amount_micros,
            currency=self.currency,
            customer_id=event.customer_id,
            payment_method_id=event.payment_method_id,
            return_url=event.return_url,
        )

    def _credit(self, payment: Payment, *, at: datetime) -> None:
        if payment.payment_id in self.credited:
            return
        if self.state == "succeeded":
            self.trigger(
                SurplusReceived,
                at,
                advertiser_id=self.advertiser_id,
                payment_id=payment.payment_id,
                amount_micros=payment.amount_micros,
                currency=self.currency,
            )
            return
        self.trigger(
            TopUpSucceeded,
            at,
            advertiser_id=self.advertiser_id,
            payment_id=payment.payment_id,
            amount_micros=payment.amount_micros,
            currency=self.currency,
            payment_method_id=payment.payment_method_id,
        )
