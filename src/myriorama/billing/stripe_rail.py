"""Stripe as the payment rail, through its own client; nothing else in the house imports it.

What Stripe says is told apart by what is certain: done, not done, or not known. The client's own
retries are off: it would make up a key where we have none, and who asks again does so across
crashes, under the key that was recorded.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

import stripe
from stripe import PaymentIntent, StripeClient
from stripe.checkout import Session
from stripe.params import PaymentIntentCreateParams
from stripe.params.checkout import SessionCreateParams

from domain.top_up.currencies import MINOR_DIGITS, minor_micros
from domain.top_up.payments import (
    Charge,
    Checkout,
    CheckoutStatus,
    Payment,
    PaymentStatus,
    RailRefused,
    RailSilent,
    RailStuck,
)

API_VERSION: Literal["2026-10-28.endive"] = "2026-10-28.endive"
"""What the shapes below were written for; another one is asked for by nobody but us."""

PRODUCT = "Advertising credit"
LISTED_MAX = 100
TIMEOUT_S = 20
SIGNED_S_MAX = 300
_CONFLICT, _TOO_MANY, _SERVER_ERROR = 409, 429, 500

_STATUS: Mapping[str, PaymentStatus] = {
    "succeeded": "succeeded",
    "canceled": "cancelled",
    "processing": "pending",
    "requires_action": "action_required",
    "requires_capture": "pending",
    "requires_confirmation": "pending",
    "requires_payment_method": "declined",
}


class WebhookForged(Exception):
    """What was delivered was not signed by Stripe, or too long ago."""


class Notice(NamedTuple):
    """What Stripe reports: that something happened to an object, which may be long past."""

    event_id: str
    type: str
    object_id: str
    created_s: int
    body: bytes


class StripeRail:
    """Takes money through Stripe. Safe to share between threads."""

    def __init__(
        self,
        secret_key: str,
        *,
        address: str = "",
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        """Take the secret key, and where Stripe is if it is not where it usually is."""
        self._client = StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            max_network_retries=0,
            base_addresses={"api": address} if address else None,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT_S),
        )

    def open_customer(self, advertiser_id: UUID, *, key: str) -> str:
        try:
            customer = self._client.v1.customers.create(
                {"metadata": {"advertiser_id": str(advertiser_id)}}, {"idempotency_key": key}
            )
        except stripe.StripeError as error:
            raise _told(error) from error
        return customer.id

    def open_checkout(self, charge: Charge) -> Checkout:
        try:
            session = self._client.v1.checkout.sessions.create(
                _session_of(charge), {"idempotency_key": charge.key}
            )
        except stripe.StripeError as error:
            raise _told(error) from error
        return _checkout(session)

    def charge(self, charge: Charge) -> Payment:
        try:
            intent = self._client.v1.payment_intents.create(
                _intent_of(charge), {"idempotency_key": charge.key}
            )
        except stripe.CardError as declined:
            refused = declined.error.payment_intent if declined.error else None
            if refused is None:
                raise RailStuck(str(declined)) from declined
            return _payment(refused)
        except stripe.StripeError as error:
            raise _told(error) from error
        return _payment(intent)

    def checkout(self, session_id: str) -> Checkout:
        try:
            return _checkout(self._client.v1.checkout.sessions.retrieve(session_id))
        except stripe.StripeError as error:
            raise _told_of_reading(error) from error

    def payment(self, payment_id: str) -> Payment:
        try:
            return _payment(self._client.v1.payment_intents.retrieve(payment_id))
        except stripe.StripeError as error:
            raise _told_of_reading(error) from error

    def payments_for(self, customer_id: str, top_up_id: UUID) -> list[Payment]:
        try:
            page = self._client.v1.payment_intents.list(
                {"customer": customer_id, "limit": LISTED_MAX}
            )
            # Listed, not searched: what a search finds may be minutes old.
            found = [each for each in page.auto_paging_iter() if _top_up_of(each) == top_up_id]
        except stripe.StripeError as error:
            raise _told_of_reading(error) from error
        return [_payment(intent) for intent in reversed(found)]

    def notices(self, types: Sequence[str], *, since_s: int) -> list[Notice]:
        """Return what was reported since an instant, delivered or not, oldest first."""
        try:
            page = self._client.v1.events.list(
                {"types": list(types), "created": {"gte": since_s}, "limit": LISTED_MAX}
            )
            found = [_notice(event, b"") for event in page.auto_paging_iter()]
        except stripe.StripeError as error:
            raise _told_of_reading(error) from error
        return found[::-1]


def verified(body: bytes, signature: str, secret: str) -> Notice:
    """Return what was delivered, once it is certain that Stripe has signed these very bytes.

    Raises:
        WebhookForged: it has not, or more than five minutes ago.
    """
    if not secret:  # which anybody could sign under
        raise WebhookForged("There is no secret to verify it by.")
    try:
        event = stripe.Webhook.construct_event(body, signature, secret, SIGNED_S_MAX)
        return _notice(event, body)
    except (stripe.SignatureVerificationError, ValueError, AttributeError, KeyError) as error:
        raise WebhookForged(str(error)) from error


def _notice(event: stripe.Event, body: bytes) -> Notice:
    about = cast("dict[str, Any]", event.data.object)
    return Notice(event.id, event.type, str(about["id"]), event.created, body)


def _session_of(charge: Charge) -> SessionCreateParams:
    marks = {"top_up_id": str(charge.top_up_id), "attempt": str(charge.attempt)}
    return {
        "mode": "payment",
        "customer": charge.customer_id,
        "client_reference_id": str(charge.top_up_id),
        "success_url": charge.return_url,
        "cancel_url": charge.return_url,
        "metadata": marks,
        "payment_intent_data": {"metadata": marks, "setup_future_usage": "off_session"},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": charge.currency.lower(),
                    "unit_amount": charge.amount_micros // minor_micros(charge.currency),
                    "product_data": {"name": PRODUCT},
                },
            }
        ],
    }


def _intent_of(charge: Charge) -> PaymentIntentCreateParams:
    return {
        "amount": charge.amount_micros // minor_micros(charge.currency),
        "currency": charge.currency.lower(),
        "customer": charge.customer_id,
        "payment_method": charge.payment_method_id,
        "off_session": True,
        "confirm": True,
        "metadata": {"top_up_id": str(charge.top_up_id), "attempt": str(charge.attempt)},
    }


def _payment(intent: PaymentIntent) -> Payment:
    currency = intent.currency.upper()
    if currency not in MINOR_DIGITS:  # somebody sells something else by the same account
        raise RailRefused(f"{intent.id} is in {currency}, in which nothing is topped up.")
    error = intent.last_payment_error
    code = (error.code or "") if error else ""
    status = _STATUS.get(intent.status, "pending")
    if code == "authentication_required" and status == "declined":
        status = "action_required"
    received = intent.amount_received if status == "succeeded" else intent.amount
    method = intent.payment_method
    return Payment(
        payment_id=intent.id,
        top_up_id=_top_up_of(intent),
        status=status,
        amount_micros=received * minor_micros(currency),
        currency=currency,
        payment_method_id=(method if isinstance(method, str) else method.id) if method else "",
        error_code=code,
    )


def _top_up_of(intent: PaymentIntent) -> UUID | None:
    metadata = intent.metadata.to_dict() if intent.metadata else {}
    return _id_of(metadata.get("top_up_id"))


def _checkout(session: Session) -> Checkout:
    return Checkout(
        session_id=session.id,
        top_up_id=_id_of(session.client_reference_id),
        url=session.url or "",
        status=cast("CheckoutStatus", session.status or "open"),
        expires_at=datetime.fromtimestamp(session.expires_at, UTC),
    )


def _id_of(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _told(error: stripe.StripeError) -> RailSilent | RailStuck | RailRefused:
    """Return what an error says of whether something was done."""
    match error:
        case stripe.IdempotencyError() if error.http_status != _CONFLICT:
            return RailStuck(str(error))
        case stripe.InvalidRequestError() if error.http_status not in {_CONFLICT, _TOO_MANY}:
            return RailRefused(str(error))
        case stripe.APIError() if (error.http_status or 0) >= _SERVER_ERROR:
            return RailStuck(str(error))
        case _:  # no connection, too many requests, a conflict, or the operator's to mend
            return RailSilent(str(error))


def _told_of_reading(error: stripe.StripeError) -> RailSilent | RailRefused:
    """Return what an error says where nothing was to be done: no answer is kept."""
    told = _told(error)
    return RailSilent(str(error)) if isinstance(told, RailStuck) else told
