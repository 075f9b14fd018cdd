"""What the double keeps: customers, cards, payments, pages to pay on, and what happened to them.

Every payment is paid by a test card of Stripe's, whose number says what becomes of it. Money is
conserved: what the cards have paid is what the balance has.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from myriorama.billing.stripe_double.cards import (
    DECLINED_LATER,
    GOOD_CARD,
    Decline,
    check_number,
    decline_of,
)

Thing = dict[str, Any]

CHECKOUT_S = 86_400

_ATTACHED = {
    "pm_card_visa": GOOD_CARD,
    "pm_card_chargeCustomerFail": DECLINED_LATER,
    "pm_card_authenticationRequired": "4000002760003184",
}
_KEPT = (
    *("_count", "_numbers", "balance", "cards", "customers", "events", "intents", "paid"),
    "sessions",
)
_FEE_SHARE_PER_MILLE, _FEE_FIXED = 29, 30


class CardRefused(Exception):
    """The card was not charged; the payment says so, too."""

    def __init__(self, intent: Thing, decline: Decline) -> None:
        super().__init__(decline.message)
        self.intent = intent
        self.decline = decline


class Missing(Exception):
    """There is no such thing."""


class StateUnfit(Exception):
    """The thing is not in a state in which this can be done."""


class Paid(NamedTuple):
    """A card was charged so much, for this payment."""

    payment_id: str
    card: str
    amount: int
    currency: str


class Bank:
    """All things, by their IDs. Nobody else holds one: what is asked for is a copy."""

    def __init__(self, *, clock_s: Callable[[], int], page: str) -> None:
        """Take the clock, in seconds since the epoch, and where pages to pay on are."""
        self._clock_s = clock_s
        self._page = page
        self._count = 0
        self.customers: dict[str, Thing] = {}
        self.cards: dict[str, Thing] = {}
        self.intents: dict[str, Thing] = {}
        self.sessions: dict[str, Thing] = {}
        self.balance: list[Thing] = []
        self.events: list[Thing] = []
        self.paid: list[Paid] = []
        self._numbers: dict[str, str] = {}

    def open_customer(self, wanted: Thing) -> Thing:
        customer = self._new("cus", "customer", {"metadata": wanted.get("metadata", {})})
        return self._kept(self.customers, customer, "customer.created")

    def keep_card(self, payment_method_id: str, customer_id: str) -> Thing:
        """Attach one of Stripe's test cards to a customer."""
        number = _ATTACHED.get(payment_method_id)
        if number is None:
            raise Missing(payment_method_id)
        self.find(self.customers, customer_id)
        return deepcopy(self._card(number, customer_id))

    def charge(self, wanted: Thing) -> Thing:
        """Create and confirm a payment while its cardholder is away.

        Raises:
            CardRefused: it was not paid; what was made of it is kept.
            Missing: there is no such customer or card.
        """
        customer_id, card_id = wanted["customer"], wanted["payment_method"]
        self.find(self.customers, customer_id)
        if self.find(self.cards, card_id)["customer"] != customer_id:
            raise Missing(card_id)
        intent = self._intent(wanted["amount"], wanted["currency"], customer_id, wanted)
        intent["payment_method"] = card_id
        self._note("payment_intent.created", intent)
        self._confirm(intent, self._numbers[card_id], holder_is_there=False)
        return deepcopy(intent)

    def open_page(self, wanted: Thing) -> Thing:
        """Open a page on which to pay. Raises Missing: there is no such customer."""
        self.find(self.customers, wanted["customer"])
        item = wanted["line_items"][0]
        price = item["price_data"]
        session = self._new("cs_test", "checkout.session", {"metadata": wanted.get("metadata", {})})
        session |= {
            "amount_total": price["unit_amount"] * item.get("quantity", 1),
            "client_reference_id": wanted.get("client_reference_id"),
            "currency": price["currency"],
            "customer": wanted["customer"],
            "expires_at": self._clock_s() + CHECKOUT_S,
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": wanted["success_url"],
            "url": f"{self._page}/pay/{session['id']}",
            "payment_intent_data": wanted.get("payment_intent_data", {}),
        }
        self.sessions[session["id"]] = session
        return self.page(session["id"])

    def page(self, session_id: str) -> Thing:
        """Return a page as it is now. Raises Missing."""
        session = self._session(session_id)
        shown = deepcopy(session)
        del shown["payment_intent_data"]
        if session["status"] != "open":
            shown["url"] = None
        return shown

    def pay(self, session_id: str, card: str) -> Thing:
        """Pay on a page with a card number; its holder is there, and confirms what is to be.

        Raises:
            CardRefused, NumberRefused: the page stays open for another card.
            StateUnfit: the page is paid, or over.
        """
        session = self._session(session_id)
        if session["status"] != "open":
            raise StateUnfit(f"This page is {session['status']}.")
        check_number(card)
        intent = self.intents.get(session["payment_intent"] or "")
        if intent is None:
            data: Thing = session["payment_intent_data"]
            amount, currency = session["amount_total"], session["currency"]
            intent = self._intent(amount, currency, session["customer"], data)
            session["payment_intent"] = intent["id"]
            self._note("payment_intent.created", intent)
        kept = session["payment_intent_data"].get("setup_future_usage") == "off_session"
        holder = self._card(card, session["customer"] if kept else None)
        intent["payment_method"] = holder["id"]
        self._confirm(intent, card, holder_is_there=True)
        session |= {"status": "complete", "payment_status": "paid"}
        self._note("checkout.session.completed", self.page(session_id))
        return self.page(session_id)

    def expire(self, session_id: str) -> Thing:
        """End a page on which nobody has paid. Raises StateUnfit: it is not open."""
        session = self._session(session_id)
        if session["status"] != "open":
            raise StateUnfit(f"This page is {session['status']}.")
        self._expire(session)
        return self.page(session_id)

    def find(self, kept: Mapping[str, Thing], thing_id: str) -> Thing:
        """Return a copy of one of `kept`. Raises Missing."""
        if thing_id not in kept:
            raise Missing(thing_id)
        return deepcopy(kept[thing_id])

    def balance_minor(self) -> Mapping[str, int]:
        """Return what has come in before fees, by currency."""
        sums: dict[str, int] = {}
        for entry in self.balance:
            sums[entry["currency"]] = sums.get(entry["currency"], 0) + entry["amount"]
        return sums

    def kept(self) -> Thing:
        """Return all that there is, to be restored."""
        return {name: getattr(self, name) for name in _KEPT}

    def restore(self, kept: Thing) -> None:
        """Take up what another had `kept`."""
        for name in _KEPT:
            setattr(self, name, kept[name])
        self.paid = [Paid(*paid) for paid in kept["paid"]]

    def _confirm(self, intent: Thing, card: str, *, holder_is_there: bool) -> None:
        decline = decline_of(card, holder_is_there=holder_is_there)
        if decline is not None:
            intent["status"] = "requires_payment_method"
            error = {"type": "card_error", **decline._asdict()}
            intent["last_payment_error"] = {
                name: told for name, told in error.items() if told is not None
            }
            intent["payment_method"] = None
            self._note("payment_intent.payment_failed", intent)
            raise CardRefused(deepcopy(intent), decline)
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "last_payment_error": None,
        }
        self.paid.append(Paid(intent["id"], card, intent["amount"], intent["currency"]))
        self._enter(intent)
        self._note("payment_intent.succeeded", intent)

    def _enter(self, intent: Thing) -> None:
        fee = intent["amount"] * _FEE_SHARE_PER_MILLE // 1000 + _FEE_FIXED
        entry = self._new("txn", "balance_transaction", {})
        entry |= {
            "amount": intent["amount"],
            "currency": intent["currency"],
            "fee": fee,
            "net": intent["amount"] - fee,
            "source": intent["id"],
            "type": "payment",
        }
        self.balance.append(entry)

    def _intent(self, amount: int, currency: str, customer_id: str, wanted: Thing) -> Thing:
        intent = self._new("pi", "payment_intent", {"metadata": wanted.get("metadata", {})})
        intent |= {
            "amount": amount,
            "amount_received": 0,
            "currency": currency,
            "customer": customer_id,
            "last_payment_error": None,
            "payment_method": None,
            "status": "requires_payment_method",
        }
        self.intents[intent["id"]] = intent
        return intent

    def _card(self, number: str, customer_id: str | None) -> Thing:
        card = self._new("pm", "payment_method", {"type": "card", "customer": customer_id})
        card["card"] = {"brand": "visa", "last4": number[-4:], "exp_month": 12, "exp_year": 2040}
        self.cards[card["id"]] = card
        self._numbers[card["id"]] = number
        return card

    def _session(self, session_id: str) -> Thing:
        session = self.sessions.get(session_id)
        if session is None:
            raise Missing(session_id)
        if session["status"] == "open" and self._clock_s() >= session["expires_at"]:
            self._expire(session)
        return session

    def _expire(self, session: Thing) -> None:
        session["status"] = "expired"
        self._note("checkout.session.expired", self.page(session["id"]))

    def _kept(self, kept: dict[str, Thing], thing: Thing, happened: str) -> Thing:
        kept[thing["id"]] = thing
        self._note(happened, thing)
        return deepcopy(thing)

    def _note(self, happened: str, thing: Thing) -> None:
        event = self._new("evt", "event", {"type": happened})
        self.events.append(event | {"data": {"object": deepcopy(thing)}, "pending_webhooks": 1})

    def _new(self, prefix: str, kind: str, fields: Thing) -> Thing:
        self._count += 1
        new = {"id": f"{prefix}_{self._count:014d}", "object": kind, "created": self._clock_s()}
        return {**new, "livemode": False, **deepcopy(fields)}
